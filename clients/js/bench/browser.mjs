// Figures of the local copy in Chromium, as one line of JSON. RECORDS: how many records the first sync pulls. The proxy of
// the tests, which serves the page and forwards to the hub, is a part of the first sync.
import { BrowserFixture } from '../test/browser_fixture.mjs';

const kRecords = Number(process.env.RECORDS ?? 100_000);
const kPushed = 5000;
const kPuts = 200;

const hex = (digits) => Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');
const at = (list, part) => Number([...list].sort((a, b) => a - b)[Math.floor(list.length * part)].toFixed(2));

const fixture = await BrowserFixture.start();
fixture.reset();
const { admin, browser, proxy } = fixture;
// About 300 bytes each, with ids as programs make them.
for (let from = 0; from < kRecords; from += kPushed) {
  await admin.space(fixture.space).push(Array.from({ length: Math.min(kPushed, kRecords - from) }, (_, i) => ({
    collection: 'items', id: hex(24), doc: { text: hex(230), number: from + i, done: false } })));
}

const context = await browser.newContext();
const page = await context.newPage();
await page.goto(`${proxy.url}/page`);
let began = Date.now();
await fixture.openIn(page);
await page.evaluate(() => db.synced({ timeoutMs: 300_000 }));
const firstSyncMs = Date.now() - began;

const { puts, heard } = await page.evaluate(async ([space, count]) => {
  const few = db.space(space).collection('few');
  const puts = [];
  const heard = [];
  let hear = () => undefined;
  await new Promise((resolve) => {
    hear = resolve;
    few.watch({}, () => hear());
  });
  for (let i = 0; i < count; ++i) {
    const hears = new Promise((resolve) => { hear = resolve; });
    const start = performance.now();
    await few.put(`r${i % 20}`, { n: i });
    puts.push(performance.now() - start);
    await hears;
    heard.push(performance.now() - start);
  }
  return { puts, heard };
}, [fixture.space, kPuts]);
await page.evaluate(() => db.synced());
await page.close();

const again = await context.newPage();
await again.goto(`${proxy.url}/page`);
began = Date.now();
await fixture.openIn(again);
await again.evaluate(() => items.query({ limit: 10 }));
const reopenMs = Date.now() - began;

console.log(JSON.stringify({
  records: kRecords, first_sync_ms: firstSyncMs, reopen_ms: reopenMs, put_p50_ms: at(puts, 0.5), put_p99_ms: at(puts, 0.99),
  heard_p50_ms: at(heard, 0.5),
}));
await context.close();
await fixture.stop();
