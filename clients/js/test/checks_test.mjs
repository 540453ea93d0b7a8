// The acceptance checks of the local copy that need a browser, by their numbers. KILL_CYCLES makes check 24 longer.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { launchIn } from './browser.mjs';
import { BrowserFixture, browserOf } from './browser_fixture.mjs';
import { until } from './harness.mjs';

let fixture, hub, proxy, browser, admin;
before(async () => {
  fixture = await BrowserFixture.start();
  ({ hub, proxy, browser, admin } = fixture);
});
after(() => fixture.stop());
beforeEach(() => fixture.reset());

test('check 24: a browser that is killed loses nothing that was acknowledged, and doubles nothing', async (t) => {
  const kCycles = Number(process.env.KILL_CYCLES ?? 6);
  const directory = mkdtempSync(join(tmpdir(), 'syncline-js-profile-'));
  const start = async () => {
    const context = await launchIn(directory);
    fixture.contexts.push(context);
    const page = await fixture.tab(context);
    await page.evaluate((space) => { window.counts = db.space(space).collection('counts'); }, fixture.space);
    return { context, page };
  };
  const all = new Set();
  let last = [];     // acknowledged in the cycle before
  let sum = 0;       // what the counter is known to have reached
  let unknown = 0;   // increments that were under way when the browser was killed
  const readSum = (page) => page.evaluate(() => counts.get('sum').then((doc) => doc?.sum ?? 0));

  for (let cycle = 0; cycle < kCycles; ++cycle) {
    const { context, page } = await start();
    const lost = await page.evaluate(async (ids) => {
      const found = await Promise.all(ids.map((id) => items.get(id)));
      return ids.filter((_, i) => found[i] === undefined);
    }, last);
    assert.deepEqual(lost, [], `cycle ${cycle}: acknowledged, and not there after the restart`);
    const present = await readSum(page);
    assert.ok(present === sum || present === sum + 1, `cycle ${cycle}: the counter is ${present}, acknowledged were ${sum}`);
    unknown += present - sum;
    sum = present;

    // In some cycles the hub cannot be reached, in some each push is answered late.
    proxy.rule = ({ path }) => (cycle % 3 === 1 && path.startsWith('/v1') ? 'refuse'
      : cycle % 3 === 2 && path.includes('/push') ? { delayMs: 20 } : undefined);
    const ids = [];
    let wasKilled = false;
    await page.exposeFunction('acknowledge', (kind, id) => {
      if (wasKilled) return;  // nobody has heard of it
      if (kind === 'item') ids.push(id);
      else ++sum;
    });
    await page.evaluate((cycle) => {
      void (async () => {
        for (let i = 0; ; ++i) {
          await items.put(`c${cycle}-${i}`, { i });
          await acknowledge('item', `c${cycle}-${i}`);
          await counts.patch('sum', (old) => ({ sum: (old?.sum ?? 0) + 1 }));
          await acknowledge('sum', '');
        }
      })();
    }, cycle);
    const goal = 3 + (cycle * 7) % 20;
    await until(() => ids.length >= goal, 'acknowledged writes');
    const pid = browserOf(directory);
    const ended = new Promise((resolve) => context.once('close', resolve));
    process.kill(pid, 'SIGKILL');
    wasKilled = true;
    await ended;
    last = ids;
    for (const id of ids) all.add(id);
  }

  proxy.rule = () => undefined;
  const { context, page } = await start();
  await page.evaluate(() => until(() => db.synced().then(() => true, () => false)));
  const docs = await fixture.hubDocs();
  assert.deepEqual([...all].filter((id) => !(id in docs)), [], 'acknowledged, and not at the hub');
  assert.ok(Object.keys(docs).length <= all.size + kCycles, 'at most one more of each cycle');
  const doubled = [];
  for (const id of Object.keys(docs)) if (await fixture.versionCount(id) !== 1) doubled.push(id);
  assert.deepEqual(doubled, [], 'stored more than once');
  const { sum: atHub } = (await fixture.hubDocs('counts')).sum;
  assert.ok(atHub === sum || atHub === sum + 1, `the counter at the hub is ${atHub}, acknowledged were ${sum}`);
  assert.deepEqual(await admin.space(fixture.space).conflicts(), []);
  t.diagnostic(`${kCycles} kills, ${all.size} records and ${sum} increments acknowledged, ${unknown} increments done ` +
    'and not acknowledged');
  await context.close();
  rmSync(directory, { recursive: true, force: true });
});

for (const end of ['closed', 'crashed']) {
  test(`check 25: the leading tab is ${end} in the middle of a push: the other one goes on within 2 s`, async (t) => {
    const context = await browser.newContext();
    const a = await fixture.tab(context);
    await a.evaluate(() => db.synced());
    const b = await fixture.tab(context);
    let isHeld = true;
    proxy.rule = ({ method, path }) => (isHeld && method === 'POST' && path.includes('/push') ? { delayMs: 400 } : undefined);
    await b.evaluate(() => Promise.all(Array.from({ length: 50 }, (_, i) => items.put(`r${i}`, { i }))));
    await until(() => proxy.count('POST', '/push') > 0, 'the push of the leader');
    isHeld = false;
    if (end === 'closed') await a.close();
    else await a.goto('chrome://crash').catch(() => undefined);
    const ended = Date.now();
    const slowest = b.evaluate(async () => {
      let slowestMs = 0;
      for (let i = 0; i < 40; ++i) {
        const start = performance.now();
        await items.put(`late${i}`, { i });
        await items.get(`late${i}`);
        slowestMs = Math.max(slowestMs, performance.now() - start);
      }
      return slowestMs;
    });
    await until(async () => Object.keys(await fixture.hubDocs()).length === 90, 'all changes at the hub');
    const tookMs = Date.now() - ended;
    t.diagnostic(`went on within ${tookMs} ms; the slowest write and read meanwhile took ${(await slowest).toFixed(0)} ms`);
    assert.ok(tookMs < 2000, `${tookMs} ms`);
    assert.ok(await slowest < 1000, `a write waited ${await slowest} ms`);
    await b.evaluate(() => until(() => db.status.get().pending === 0));
    for (const id of Object.keys(await fixture.hubDocs())) assert.equal(await fixture.versionCount(id), 1, id);
    assert.deepEqual(await admin.space(fixture.space).conflicts(), []);
    await context.close();
  });
}

test('check 26: a revoked key: reauth within 1 s, the queue is kept, and only a key of the same account sends it', async () => {
  const context = await browser.newContext();
  const lost = hub.addKey('read,write');
  const page = await fixture.tab(context, { key: lost });
  await page.evaluate(() => db.synced());
  hub.cli('key', 'revoke', (await admin.keys()).at(-1).id);
  proxy.requests = [];
  await page.evaluate(() => items.put('x', { n: 1 }));
  const reauthAt = await page.evaluate(() => until(() => events.some(([name]) => name === 'reauth')).then(() => Date.now()));
  const [next] = proxy.requests;
  assert.ok(reauthAt - next.at < 1000, `reauth ${reauthAt - next.at} ms after ${next.method} ${next.path}`);

  await page.reload();
  await fixture.openIn(page, { key: lost });
  await page.evaluate(() => until(() => db.status.get().state === 'reauth'));
  assert.equal(await page.evaluate(() => db.status.get().pending), 1);

  const other = hub.addKey('read,write', `bob-${fixture.space}@example.org`);
  proxy.requests = [];
  const error = await page.evaluate((key) => db.setKey(key).then(() => undefined, ({ name, detail }) => ({ name, detail })), other);
  assert.equal(error?.name, 'AccountMismatch');
  assert.match(error.detail, /belongs to ann@example.org/);
  const sent = proxy.requests.filter((one) => one.headers.authorization === `Bearer ${other}`);
  assert.deepEqual([...new Set(sent.map((one) => `${one.method} ${one.path}`))], ['GET /v1/me'], 'nothing else was sent with that key');
  assert.deepEqual(await page.evaluate(() => [db.status.get().state, db.status.get().pending]), ['reauth', 1]);

  await page.evaluate((key) => db.setKey(key), hub.addKey('read,write'));
  await page.evaluate(() => db.synced());
  assert.deepEqual(await fixture.hubDocs(), { x: { n: 1 } });
  assert.equal(await fixture.versionCount('x'), 1);
  await context.close();
});
