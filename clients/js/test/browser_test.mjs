// The local copy in Chromium: IndexedDB, tabs, and a browser that is killed.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Hub as Caller } from '../dist/http.js';
import { launch, launchIn, pages } from './browser.mjs';
import { Hub, Proxy, until } from './harness.mjs';

let hub, proxy, browser, key, admin, number = 0;
const profiles = [];
before(async () => {
  hub = await Hub.start();
  proxy = await Proxy.start(hub.url);
  proxy.pages = pages();
  key = hub.addKey();
  admin = new Caller({ url: hub.url, key });
  browser = await launch();
});
after(async () => {
  for (const context of profiles) await context.close().catch(() => undefined);  // some were killed
  await browser.close();
  await proxy.stop();
  await hub.stop();
});
beforeEach(() => {
  proxy.rule = () => undefined;
  proxy.requests = [];
  ++number;
});

const space = () => `browser${number}`;

/** A tab with the copy open as `db`, and its collection as `items`. */
async function tab(context, options = {}) {
  const page = await context.newPage();
  await page.goto(`${proxy.url}/page`);
  await openIn(page, options);
  return page;
}
async function openIn(page, options = {}) {
  await page.evaluate(async ([url, key, space, options]) => {
    const { open } = await import('@syncline/client');
    window.events = [];
    window.db = await open({ name: space, url, key, spaces: [space], sync: { windowMs: 0 }, ...options });
    for (const name of ['reauth', 'error', 'closed']) db.on(name, (event) => events.push([name, String(event)]));
    window.items = db.space(space).collection('items');
    window.until = async (condition) => {
      const end = Date.now() + 20_000;
      while (!await condition()) {
        if (Date.now() > end) throw new Error(`${condition} did not come; ${JSON.stringify(db.status.get())}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
  }, [proxy.url, key, space(), options]);
}
async function hubDocs() {
  const docs = {};
  for (let after; after !== null; ) {
    const page = await admin.space(space()).list('items', { limit: 5000, ...(after ? { after } : {}) });
    for (const one of page.records) docs[one.id] = one.doc;
    after = page.after;
  }
  return docs;
}

/** The process of the browser with that profile, which only one has. */
function browserOf(directory) {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    let line = '';
    try {
      line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
    } catch {
      continue;  // it has ended meanwhile
    }
    const parts = line.split(/[\0 ]/);
    const isMain = parts[0].includes('chrom') && !parts.some((part) => part.startsWith('--type='));
    if (isMain && parts.includes(`--user-data-dir=${directory}`)) return Number(name);
  }
  throw new Error(`no browser with the profile ${directory}`);
}

test('a copy outlives its page: edits made offline are sent by the next one, once', async () => {
  const context = await browser.newContext();
  const page = await tab(context);
  await page.evaluate(() => db.synced());
  proxy.rule = ({ path }) => (path.startsWith('/v1') ? 'refuse' : undefined);
  await page.evaluate(() => items.put('a', { n: 1 }));
  await page.close();
  const next = await tab(context);
  assert.deepEqual(await next.evaluate(() => items.get('a')), { n: 1 });
  assert.equal(await next.evaluate(() => until(() => db.status.get().pending === 1)), undefined);
  proxy.rule = () => undefined;
  await next.evaluate(() => until(() => db.synced().then(() => true, () => false)));
  assert.deepEqual(await hubDocs(), { a: { n: 1 } });
  assert.equal((await admin.space(space()).history('items', 'a')).length, 1);
  await context.close();
});

test('one of two tabs talks to the hub, both read and write, and both hear of everything', async () => {
  const context = await browser.newContext();
  const a = await tab(context);
  await a.evaluate(() => db.synced());
  const b = await tab(context);
  await b.evaluate(() => { window.seen = []; items.watch({}, (list) => seen.push(list.map((one) => one.id).join())); });
  await a.evaluate(() => items.put('x', {}));
  await b.evaluate(() => until(() => seen.at(-1) === 'x'));
  await b.evaluate(() => items.put('y', {}));
  await b.evaluate(() => db.synced());
  assert.deepEqual(Object.keys(await hubDocs()), ['x', 'y']);
  await admin.space(space()).put('items', 'z', {});
  await b.evaluate(() => until(() => seen.at(-1) === 'x,y,z'));
  await b.evaluate(() => until(() => db.status.get().state === 'in_sync'));
  assert.equal(proxy.count('GET', '/v1/me'), 1, 'one tab has asked');
  await context.close();
});

test('the leading tab is closed in the middle of a push: the other one goes on, and no op counts twice', async () => {
  const context = await browser.newContext();
  const a = await tab(context);
  await a.evaluate(() => db.synced());
  const b = await tab(context);
  let isHeld = true;
  proxy.rule = ({ method, path }) => (isHeld && method === 'POST' && path.includes('/push') ? { delayMs: 400 } : undefined);
  await b.evaluate(() => Promise.all(Array.from({ length: 50 }, (_, i) => items.put(`r${i}`, { i }))));
  await until(() => proxy.count('POST', '/push') > 0, 'the push of the leader');
  isHeld = false;
  await a.close();
  const closed = Date.now();
  await b.evaluate(() => items.put('late', {}));
  await until(async () => Object.keys(await hubDocs()).length === 51, 'all changes at the hub');
  assert.ok(Date.now() - closed < 4000, `${Date.now() - closed} ms`);
  await b.evaluate(() => until(() => db.status.get().pending === 0));
  for (const id of ['r0', 'r25', 'r49', 'late']) {
    assert.equal((await admin.space(space()).history('items', id)).length, 1, id);
  }
  assert.deepEqual(await admin.space(space()).conflicts(), []);
  await context.close();
});

test('without Web Locks every tab syncs, and every edit counts', async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }));
  const tabs = [await tab(context), await tab(context)];
  await Promise.all(tabs.map((page, t) => page.evaluate(async (t) => {
    for (let i = 0; i < 40; ++i) await items.put(`t${t}-${i % 10}`, { t, i });
    await until(() => db.synced().then(() => true, () => false));
  }, t)));
  await until(async () => Object.keys(await hubDocs()).length === 20);
  const docs = await hubDocs();
  assert.equal(Object.values(docs).map((doc) => doc.i).sort().join(), Array.from({ length: 20 }, (_, i) => 30 + (i >> 1)).join());
  for (const page of tabs) {
    await page.evaluate(() => until(() => db.status.get().pending === 0));
    assert.deepEqual(await page.evaluate(() => items.query().then((list) => list.length)), 20);
  }
  await context.close();
});

test('no call waits for a lock: a tab that holds it and answers nothing stops nobody', async () => {
  const context = await browser.newContext();
  const frozen = await context.newPage();
  await frozen.goto(`${proxy.url}/page`);
  await frozen.evaluate((name) => {
    navigator.locks.request(name, () => new Promise(() => {}));
  }, `syncline/${space()}`);
  const page = await tab(context);
  await page.evaluate(async () => {
    await items.put('a', { n: 1 });
    await items.patch('a', (old) => ({ n: old.n + 1 }));
  });
  assert.deepEqual(await page.evaluate(() => items.get('a')), { n: 2 });
  assert.equal(await page.evaluate(() => db.status.get().reason), 'another tab syncs');
  await frozen.close();
  await page.evaluate(() => until(() => db.synced().then(() => true, () => false)));
  assert.deepEqual(await hubDocs(), { a: { n: 2 } });
  await context.close();
});

test('a leader that gives no sign for 30 s loses its place', async () => {
  const context = await browser.newContext();
  const frozen = await context.newPage();
  await frozen.goto(`${proxy.url}/page`);
  await frozen.evaluate((name) => {
    navigator.locks.request(name, () => new Promise(() => {}));
  }, `syncline/${space()}`);
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(`${proxy.url}/page`);
  await openIn(page);
  await page.evaluate(() => items.put('a', { n: 1 }));
  await page.clock.fastForward(29_000);
  assert.equal(proxy.count('GET', '/v1/'), 0);
  await page.clock.fastForward(2_000);
  await until(async () => 'a' in await hubDocs(), 'the change at the hub');
  // A sign of the leader ends that.
  await frozen.evaluate((name) => new BroadcastChannel(name).postMessage({ kind: 'alive' }), `syncline/${space()}`);
  await page.evaluate(() => until(() => db.status.get().reason === 'another tab syncs'));
  await context.close();
});

test('logout removes the copy for every tab, and refuses while something waits', async () => {
  const context = await browser.newContext();
  const a = await tab(context);
  await a.evaluate(() => db.synced());
  const b = await tab(context);
  proxy.rule = ({ path }) => (path.includes('/push') ? 'refuse' : undefined);
  await b.evaluate(() => items.put('x', {}));
  const code = await a.evaluate(() => db.logout({ discard: false }).then(() => '', (error) => error.code));
  assert.equal(code, 'changes_waiting');
  proxy.rule = () => undefined;
  await a.evaluate(() => until(() => db.synced().then(() => true, () => false)));
  await a.evaluate(() => db.logout({ discard: false }));
  await b.evaluate(() => until(() => events.some(([name]) => name === 'closed')));
  const error = await b.evaluate(() => items?.put('y', {}).then(() => '', (error) => error.code));
  assert.equal(error, 'closed');
  assert.deepEqual(await a.evaluate(() => indexedDB.databases().then((list) => list.length)), 0);
  await context.close();
});

test('a revoked key ends in reauth in every tab, and a key given to any tab goes on', async () => {
  const context = await browser.newContext();
  const lost = hub.addKey('read,write');
  const a = await tab(context, { key: lost });
  await a.evaluate(() => db.synced());
  const b = await tab(context, { key: lost });
  hub.cli('key', 'revoke', (await admin.keys()).at(-1).id);
  await b.evaluate(() => items.put('x', {}));
  for (const page of [a, b]) await page.evaluate(() => until(() => events.some(([name]) => name === 'reauth')));
  await b.evaluate((key) => db.setKey(key), hub.addKey('read,write'));
  await b.evaluate(() => until(() => db.status.get().state === 'in_sync'));
  assert.deepEqual(Object.keys(await hubDocs()), ['x']);
  await context.close();
});

test('a browser that is killed loses nothing that was acknowledged, and doubles nothing', async () => {
  const kCycles = Number(process.env.KILL_CYCLES ?? 6);
  const directory = mkdtempSync(join(tmpdir(), 'syncline-js-profile-'));
  const acknowledged = new Set();
  for (let cycle = 0; cycle < kCycles; ++cycle) {
    const context = await launchIn(directory);
    profiles.push(context);
    const page = await tab(context);
    await page.exposeFunction('acknowledge', (id) => { acknowledged.add(id); });
    await page.evaluate((cycle) => {
      void (async () => {
        for (let i = 0; ; ++i) {
          await items.put(`c${cycle}-${i}`, { i });
          await acknowledge(`c${cycle}-${i}`);
        }
      })();
    }, cycle);
    const goal = acknowledged.size + 5 + (cycle * 7) % 20;
    await until(() => acknowledged.size >= goal, 'acknowledged writes');
    const pid = browserOf(directory);
    const ended = new Promise((resolve) => context.once('close', resolve));
    process.kill(pid, 'SIGKILL');
    await ended;
  }
  const context = await launchIn(directory);
  profiles.push(context);
  const page = await tab(context);
  await page.evaluate(() => until(() => db.synced().then(() => true, () => false)));
  const docs = await hubDocs();
  for (const id of acknowledged) assert.ok(id in docs, `${id} was acknowledged`);
  assert.ok(Object.keys(docs).length <= acknowledged.size + kCycles, 'at most one more of each cycle');
  const { changes } = await admin.space(space()).changes({ limit: 5000 });
  assert.equal(changes.at(-1).seq, Object.keys(docs).length, 'every record has one version');
  await context.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a put is durable and heard of soon, and many records come soon', async (t) => {
  const context = await browser.newContext();
  const kRecords = Number(process.env.RECORDS ?? 5000);
  for (let from = 0; from < kRecords; from += 5000) {
    await admin.space(space()).push(Array.from({ length: Math.min(5000, kRecords - from) }, (_, i) => ({
      collection: 'items', id: `r${String(from + i).padStart(6, '0')}`,
      doc: { text: 'x'.repeat(260), number: from + i } })));
  }
  const began = Date.now();
  const page = await tab(context);
  await page.evaluate(() => db.synced({ timeoutMs: 120_000 }));
  const firstMs = Date.now() - began;
  const putMs = await page.evaluate(async () => {
    const times = [];
    for (let i = 0; i < 60; ++i) {
      const start = performance.now();
      await items.put(`mine${i}`, { i });
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[30];
  });
  const count = await page.evaluate(() => items.query({ where: (doc) => doc.text }).then((list) => list.length));
  assert.equal(count, kRecords);
  await page.close();
  const again = await context.newPage();
  await again.goto(`${proxy.url}/page`);
  const reopened = Date.now();
  await openIn(again);
  assert.equal((await again.evaluate(() => items.query({ limit: 10 }))).length, 10);
  const reopenMs = Date.now() - reopened;
  t.diagnostic(`${kRecords} records in ${firstMs} ms, reopened in ${reopenMs} ms, put p50 ${putMs.toFixed(1)} ms`);
  assert.ok(firstMs < 1000 + kRecords * 0.5, `first sync of ${kRecords} records took ${firstMs} ms`);
  assert.ok(putMs < 50, `a put took ${putMs} ms`);
  await context.close();
});
