// The local copy in Chromium: IndexedDB, tabs, and figures. checks_test.mjs has the checks that have a number.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { BrowserFixture } from './browser_fixture.mjs';
import { until } from './harness.mjs';

let fixture, hub, proxy, browser, admin;
before(async () => {
  fixture = await BrowserFixture.start();
  ({ hub, proxy, browser, admin } = fixture);
});
after(() => fixture.stop());
beforeEach(() => fixture.reset());

const space = () => fixture.space;
const tab = (context, options) => fixture.tab(context, options);
const openIn = (page, options) => fixture.openIn(page, options);
const hubDocs = () => fixture.hubDocs();

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

test('a copied store knows that the other one may have sent what waits, and makes no conflict of it', async () => {
  const offline = { url: undefined };
  const [a, b] = [await browser.newContext(), await browser.newContext()];
  const first = await tab(a);
  await first.evaluate(() => items.put('r', { n: 1 }));
  await first.evaluate(() => db.synced());
  await first.evaluate(() => db.close());
  await openIn(first, offline);
  await first.evaluate(() => items.put('r', { n: 2 }));
  const connected = (name) => new Promise((resolve) => {
    indexedDB.open(name).onsuccess = (event) => resolve(event.target.result);
  });
  const tables = await first.evaluate(async ([name, connect]) => {
    const database = await eval(connect)(name);
    const all = {};
    for (const table of database.objectStoreNames) {
      const store = database.transaction(table).objectStore(table);
      const ask = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
      all[table] = { keys: await ask(store.getAllKeys()), values: await ask(store.getAll()) };
    }
    database.close();
    return all;
  }, [`syncline/${space()}`, String(connected)]);

  const second = await tab(b, offline);
  await second.evaluate(async ([name, tables, connect]) => {
    db.close();
    const database = await eval(connect)(name);
    for (const [table, { keys, values }] of Object.entries(tables)) {
      const transaction = database.transaction(table, 'readwrite');
      const store = transaction.objectStore(table);
      store.clear();
      values.forEach((value, i) => (store.keyPath === null ? store.put(value, keys[i]) : store.put(value)));
      await new Promise((resolve) => { transaction.oncomplete = resolve; });
    }
    database.close();
  }, [`syncline/${space()}`, tables, String(connected)]);
  await openIn(second, offline);
  await first.evaluate(([url, key]) => db.connect(url, key), [proxy.url, fixture.key]);
  await first.evaluate(() => db.synced());
  await second.evaluate(() => items.put('r', { n: 3 }));
  await second.evaluate(([url, key]) => db.connect(url, key), [proxy.url, fixture.key]);
  await second.evaluate(() => db.synced());
  assert.deepEqual(await hubDocs(), { r: { n: 3 } });
  assert.deepEqual(await admin.space(space()).conflicts(), []);
  await a.close();
  await b.close();
});

test('what is stored has the names of the source, whatever the build makes of other names', async () => {
  const context = await browser.newContext();
  const page = await tab(context);
  await page.evaluate(async () => {
    await items.put('a', { n: 1 });
    await db.synced();
    await items.put('a', { n: 2 });
  });
  const names = await page.evaluate(async (name) => {
    const database = await new Promise((resolve) => { indexedDB.open(name).onsuccess = (event) => resolve(event.target.result); });
    const read = (table, how) => new Promise((resolve) => {
      how(database.transaction(table).objectStore(table)).onsuccess = (event) => resolve(event.target.result);
    });
    const [row] = await read('rows', (table) => table.getAll());
    const [earlier] = await read('earlier', (table) => table.getAll());
    const values = await read('values', (table) => table.getAllKeys());
    const state = await read('values', (table) => table.get(values.find((one) => one.startsWith('space/'))));
    database.close();
    return [row, row.base, earlier, state].map((one) => Object.keys(one).sort().join(' '));
  }, `syncline/${space()}`);
  assert.deepEqual(names, [
    'at base collection deleted doc id own seq space',
    'generation hub local round',
    'at collection deleted doc id isOwn seq space',
    'cursor epoch exchangedAt generation head known missedIn offerThrough pushed readsFromStart round sentThrough unnamed',
  ]);
  await context.close();
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
