// The local copy against a real hub, through a proxy that makes faults. The store is in memory; browser_test.mjs has
// IndexedDB and tabs.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { AccountMismatch, open, Refused, SyncStuck, SynclineError, Timeout, Unauthorized } from '../dist/index.js';
import { Hub as Caller } from '../dist/http.js';
import { deadUrl, Hub, Proxy, until } from './harness.mjs';

let hub, proxy, key, admin, number = 0;
let space;  // of this test
const opened = [];
before(async () => {
  hub = await Hub.start();
  proxy = await Proxy.start(hub.url);
  key = hub.addKey();
  admin = new Caller({ url: hub.url, key });
});
after(async () => {
  await proxy.stop();
  await hub.stop();
});
beforeEach(() => {
  proxy.rule = () => undefined;
  proxy.requests = [];
  space = `test${++number}`;
});
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
});

async function device(options = {}) {
  const db = await open({ name: 'todo', store: 'memory', url: proxy.url, key, spaces: [space],
    sync: { windowMs: 0 }, ...options });
  opened.push(db);
  return db;
}
const items = (db, name = space) => db.space(name).collection('items');
const list = async (db) => Object.fromEntries((await items(db).query()).map(({ id, doc }) => [id, doc]));
async function waitingOf(db) {
  const all = [];
  for await (const one of db.outbox()) all.push(one);
  return all;
}
async function hubDocs(name = space) {
  const { records } = await admin.space(name).list('items');
  return Object.fromEntries(records.map((one) => [one.id, one.doc]));
}
async function equalOn(...devices) {
  await until(async () => {
    const all = await Promise.all([hubDocs(), ...devices.map(list)]);
    return all.every((one) => JSON.stringify(one) === JSON.stringify(all[0]));
  }, 'equal copies');
}

test('what one device writes another one has, live', async () => {
  const a = await device();
  const b = await device();
  await b.synced();
  const seen = [];
  items(b).watch({}, (found, why) => seen.push([found.length, why]));
  await until(() => seen.length === 1);
  await items(a).put('t1', { text: 'Milk', done: false });
  await until(() => seen.at(-1)[0] === 1, 'the notice at the other device');
  assert.deepEqual(seen, [[0, 'now'], [1, 'hub']]);
  await items(b).patch('t1', (old) => ({ ...old, done: true }));
  await b.synced();
  await a.synced();
  assert.deepEqual(await items(a).get('t1'), { text: 'Milk', done: true });
  await items(a).delete('t1');
  await a.synced();
  await b.synced();
  assert.equal(await items(b).get('t1'), undefined);
  assert.deepEqual(await hubDocs(), {});
});

test('opens and works without a hub, and offers everything when it is connected', async () => {
  const db = await device({ url: undefined, key: undefined });
  await items(db).put('a', { n: 1 });
  assert.equal(db.status.get().state, 'off');
  await assert.rejects(db.synced(), (error) => error instanceof SyncStuck && /not connected/.test(error.reason));
  await db.connect(proxy.url, key);
  await db.synced();
  assert.deepEqual(await hubDocs(), { a: { n: 1 } });
});

test('opens and works while the hub is away, says so, and catches up', async () => {
  const db = await device({ url: await deadUrl() });
  await items(db).put('a', { n: 1 });
  await assert.rejects(db.synced(), SyncStuck);
  const status = await until(() => db.status.get().state === 'waiting' && db.status.get());
  assert.match(status.reason, /no answer/);
  assert.ok(status.nextTry > Date.now());
  assert.equal(status.pending, 1);
  await db.connect(proxy.url, key);
  await db.synced();
  assert.equal((await until(() => db.status.get().pending === 0 && db.status.get())).refused, 0);
});

test('answers that are lost, cut, late, repeated or refused lose nothing and double nothing', async () => {
  const db = await device();
  await db.synced();
  const faults = ['lose', 'cut', 'twice', 'refuse', { delayMs: 30 }, { status: 503, body: '{}' }, { status: 502 }];
  let count = 0;
  for (const fault of faults) {
    for (const method of ['GET', 'POST']) {
      let isLeft = true;
      proxy.rule = (request) => {
        const hits = isLeft && request.method === method && /changes|push/.test(request.path);
        if (hits) isLeft = false;
        return hits ? fault : undefined;
      };
      await items(db).put(`r${++count}`, { n: count });
      await until(() => db.synced().then(() => true, () => false), `sync after ${JSON.stringify(fault)} of a ${method}`);
      assert.ok(!isLeft, `${JSON.stringify(fault)} of a ${method} has happened`);
    }
  }
  proxy.rule = () => undefined;
  await equalOn(db);
  assert.equal(Object.keys(await hubDocs()).length, count);
  for (let i = 1; i <= count; ++i) {
    assert.equal((await admin.space(space).history('items', `r${i}`)).length, 1, `r${i} was stored once`);
  }
  assert.deepEqual(await admin.space(space).conflicts(), []);
});

test('an edit while its answer is lost is no conflict', async () => {
  const db = await device();
  await db.synced();
  let isLeft = true;
  proxy.rule = ({ method }) => (method === 'POST' && isLeft ? ((isLeft = false), 'lose') : undefined);
  await items(db).put('a', { n: 1 });
  await until(() => !isLeft);
  await items(db).put('a', { n: 2 });
  await until(() => db.synced().then(() => true, () => false));
  assert.deepEqual(await hubDocs(), { a: { n: 2 } });
  assert.deepEqual(await admin.space(space).conflicts(), []);
});

test('the hub is killed in the middle and starts again: everything arrives once', async () => {
  const db = await device();
  for (let i = 0; i < 30; ++i) {
    await items(db).put(`r${i}`, { n: i });
    if (i % 10 === 5) {
      await hub.kill();
      await items(db).put(`away${i}`, { n: i });
      await hub.up();
      proxy.target = hub.url;
    }
  }
  await until(() => db.synced().then(() => true, () => false));
  await equalOn(db);
  assert.equal(Object.keys(await hubDocs()).length, 33);
});

test('a revoked key ends in reauth with the queue kept; a new key of the account sends it', async () => {
  const lost = hub.addKey('read,write');
  const db = await device({ key: lost });
  await db.synced();
  const events = [];
  db.on('reauth', (status) => events.push(status.state));
  hub.cli('key', 'revoke', (await admin.keys()).at(-1).id);
  await items(db).put('a', { n: 1 });
  await until(() => db.status.get().state === 'reauth', 'reauth', 3000);
  assert.deepEqual(events, ['reauth']);
  assert.equal(db.status.get().pending, 1);
  await assert.rejects(db.synced(), (error) => error instanceof SyncStuck && /does not accept the key/.test(error.reason));
  await assert.rejects(db.setKey('nonsense'), Unauthorized);

  const other = hub.addKey('read,write', 'bob@example.org');
  proxy.requests = [];
  await assert.rejects(db.setKey(other), AccountMismatch);
  const sent = proxy.requests.filter((one) => one.headers.authorization === `Bearer ${other}`);
  assert.deepEqual(sent.map((one) => one.path), ['/v1/me'], 'nothing else was sent with that key');

  await db.setKey(hub.addKey('read,write'));
  await db.synced();
  assert.deepEqual(await hubDocs(), { a: { n: 1 } });
});

test('a key function that turns to another account sends nothing with it', async () => {
  const other = hub.addKey('read,write', 'carol@example.org');
  let token = hub.addKey('read,write');
  const db = await device({ key: () => token });
  await db.synced();
  hub.cli('key', 'revoke', (await admin.keys()).at(-1).id);
  token = other;
  proxy.requests = [];
  await items(db).put('a', { n: 1 });
  await until(() => db.status.get().state === 'reauth');
  assert.match(db.status.get().reason, /belongs to ann@example.org/);
  const sent = proxy.requests.filter((one) => one.headers.authorization === `Bearer ${other}`);
  assert.deepEqual([...new Set(sent.map((one) => one.path))], ['/v1/me']);
  token = key;
  await db.setKey(() => token);
  await db.synced();
  assert.deepEqual(await hubDocs(), { a: { n: 1 } });
});

test('a hub that was restored from a backup gets back what it lost', async () => {
  const a = await device();
  const b = await device();
  await items(a).put('early', { n: 1 });
  await a.synced();
  await b.synced();
  const backup = `${hub.directory}/backup.db`;
  hub.cli('backup', backup);
  await items(a).put('late', { n: 2 });
  await a.synced();
  await b.synced();
  await items(b).patch('early', () => ({ n: 3 }));
  await b.synced();
  await hub.kill('SIGTERM');
  const data = `${hub.directory}/restored${number}`;
  hub.data = data;
  hub.cli('restore', backup);
  await hub.up();
  proxy.target = hub.url;
  assert.deepEqual(await hubDocs(), { early: { n: 1 } });
  await until(() => a.synced().then(() => true, () => false));
  await until(() => b.synced().then(() => true, () => false));
  await until(() => a.synced().then(() => true, () => false));
  await equalOn(a, b);
  assert.deepEqual(await hubDocs(), { early: { n: 3 }, late: { n: 2 } });
});

test('numbers that JSON.parse damages survive unless the document is edited', async () => {
  const text = '{"2":1.0,"1":9007199254740993,"e":1E2,"t":"x"}';
  const put = await fetch(`${hub.url}/v1/spaces/${space}/records/items/a`, { method: 'PUT',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, body: text });
  assert.equal(put.status, 201);
  const db = await device();
  await db.synced();
  await items(db).put('a', await items(db).get('a'));
  await items(db).patch('a', (old) => ({ ...old }));
  assert.equal(db.status.get().pending, 0);
  await db.synced();
  const raw = () => fetch(`${hub.url}/v1/spaces/${space}/records/items/a`,
    { headers: { Authorization: `Bearer ${key}` } }).then((answer) => answer.text());
  assert.ok((await raw()).endsWith(`"doc":${text}}`), await raw());
  assert.equal((await admin.space(space).history('items', 'a')).length, 1);
  await items(db).patch('a', (old) => ({ ...old, t: 'y' }));
  await db.synced();
  assert.match(await raw(), /"t":"y"/);
});

test('a hub that sends documents as text is asked for that, and they stay as they are', async () => {
  const text = '{"2":1.0,"1":9007199254740993,"doc":{"doc":"\\ud83d\\ude00"}}';
  const write = (id) => fetch(`${hub.url}/v1/spaces/${space}/records/items/${id}`, { method: 'PUT',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, body: text });
  await write('a');
  const me = JSON.stringify({ ...await admin.me(), api: 2 });
  proxy.rule = ({ path }) => (path === '/v1/me' ? { status: 200, body: me } : undefined);
  const db = await device();
  await db.synced();
  assert.ok(proxy.requests.some((one) => one.path.includes('/changes') && one.path.includes('docs=text')));
  assert.deepEqual(await items(db).get('a'), JSON.parse(text));
  await items(db).put('b', { n: 1 });
  await db.synced();
  assert.ok(proxy.requests.some((one) => one.path.endsWith('/push?docs=text')));
  await items(db).put('a', await items(db).get('a'));
  assert.deepEqual(await waitingOf(db), []);
});

test('an edit that loses is a conflict that can be restored', async () => {
  const a = await device();
  await items(a).put('x', { by: 'a' });
  await a.synced();
  const losses = [];
  a.on('conflict', (loss) => losses.push(loss));
  proxy.rule = () => 'refuse';
  await items(a).put('x', { by: 'a, offline' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await admin.space(space).put('items', 'x', { by: 'b, later' });
  proxy.rule = () => undefined;
  await until(() => a.synced().then(() => true, () => false));
  assert.deepEqual(await items(a).get('x'), { by: 'b, later' });
  assert.deepEqual(losses, [{ space, collection: 'items', id: 'x' }]);
  const [conflict] = await a.space(space).conflicts();
  assert.deepEqual([conflict.recordId, conflict.winner, conflict.loser], ['x', { by: 'b, later' }, { by: 'a, offline' }]);
  await conflict.restore();
  await until(async () => (await items(a).get('x')).by === 'a, offline');
  assert.deepEqual(await a.space(space).conflicts(), []);
});

test('the outbox lists what waits, and what the hub refuses with its reason', async () => {
  const db = await device();
  await db.synced();
  proxy.rule = ({ method, path, body }) => {
    if (method !== 'POST' || !path.includes('/push')) return undefined;
    const { ops } = JSON.parse(body);
    if (!ops.some((op) => op.id === 'bad')) return undefined;
    const results = ops.map(() => ({ status: 'refused', error: { code: 'too_bad', detail: 'no' } }));
    const cursor = proxy.requests.filter((one) => one.path.includes('since')).length >= 0 && JSON.parse(body).known;
    return { status: 200, body: JSON.stringify({ cursor, results }) };
  };
  await items(db).put('good', { n: 0 });
  await db.synced();
  await items(db).put('bad', { n: 1 });
  await assert.rejects(db.synced(), (error) => /the hub rejected 1 change/.test(error.reason));
  const [one] = await waitingOf(db);
  assert.deepEqual([one.id, one.doc, one.refusal.code, one.isDead], ['bad', { n: 1 }, 'too_bad', false]);
  for (let i = 0; i < 5; ++i) await db.synced().catch(() => undefined);
  const [dead] = await waitingOf(db);
  assert.equal(dead.isDead, true);
  assert.equal(dead.offers, 5);
  proxy.rule = () => undefined;
  await dead.retry();
  await until(async () => (await waitingOf(db)).length === 0);
  await equalOn(db);
  assert.deepEqual(await hubDocs(), { good: { n: 0 }, bad: { n: 1 } });
});

test('a waiting change can be discarded', async () => {
  const db = await device();
  await items(db).put('x', { n: 1 });
  await db.synced();
  proxy.rule = () => 'refuse';
  await items(db).put('x', { n: 2 });
  await items(db).put('y', { n: 2 });
  for (const one of await waitingOf(db)) assert.equal(await one.discard(), true);
  assert.deepEqual(await list(db), { x: { n: 1 } });
  proxy.rule = () => undefined;
  await until(() => db.synced().then(() => true, () => false));
  await equalOn(db);
});

test('logout refuses while something waits, and leaves nothing otherwise', async () => {
  const db = await device();
  await db.synced();
  proxy.rule = () => 'refuse';
  await items(db).put('x', { n: 1 });
  await assert.rejects(db.logout({ discard: false }), (error) => error.code === 'changes_waiting');
  assert.deepEqual(await list(db), { x: { n: 1 } });
  await db.logout({ discard: true });
  assert.throws(() => items(db), (error) => error.code === 'closed');
  const empty = await device();
  await empty.logout({ discard: false });
});

test('large queues go in batches, and the batch size is a setting', async () => {
  const db = await device({ url: undefined, sync: { batchOps: 40 } });
  for (let i = 0; i < 130; ++i) await items(db).put(`r${String(i).padStart(3, '0')}`, { n: i });
  await db.connect(proxy.url, key);
  await db.synced();
  const sizes = proxy.requests.filter((one) => one.path.includes('/push')).map((one) => JSON.parse(one.body).ops.length);
  assert.deepEqual(sizes, [40, 40, 40, 10]);
  await equalOn(db);
});

test('queries filter, order and page, with and without an index', async () => {
  for (const indexes of [undefined, { items: ['rank', 'done'] }]) {
    const db = await device({ url: undefined, indexes });
    for (let i = 0; i < 250; ++i) {
      await items(db).put(`r${String(i).padStart(3, '0')}`, { rank: (i * 7) % 250, done: i % 2 === 0 });
    }
    const ranks = (found) => found.map((one) => one.doc.rank);
    let all = [];
    let pages = 0;
    for (let next; ; ) {
      const found = await items(db).query({ where: { done: true }, order: 'rank', limit: 40, after: next });
      all = all.concat(ranks(found));
      ++pages;
      next = found.next;
      if (next === undefined) break;
    }
    assert.equal(pages, 4);
    assert.deepEqual(all, [...all].sort((a, b) => a - b));
    assert.equal(new Set(all).size, 125);
    const top = await items(db).query({ order: 'rank', descending: true, limit: 3 });
    assert.deepEqual(ranks(top), [249, 248, 247]);
    const second = await items(db).query({ order: 'rank', descending: true, limit: 2, after: top.next });
    assert.deepEqual(ranks(second), [246, 245]);
    assert.equal((await items(db).query({ where: { done: true } })).length, 125);
    assert.deepEqual((await items(db).query({ limit: 2 })).map((one) => one.id), ['r000', 'r001']);
    assert.equal((await items(db).query({ where: (doc) => doc.rank > 200 })).length, 49);
  }
});

test('what the hub would refuse is refused at once', async () => {
  const db = await device({ url: undefined });
  for (const bad of [5, null, [1], 'x', { a: '\ud800' }]) await assert.rejects(items(db).put('a', bad), Refused, String(bad));
  for (const id of ['', 'x'.repeat(513), 'a\0b', '\ud800']) await assert.rejects(items(db).put(id, {}), Refused);
  assert.throws(() => db.space(space).collection('no spaces'), Refused);
  assert.throws(() => db.space('bad name'), Refused);
});

test('a call ends with its signal and its time', async () => {
  const db = await device();
  await db.synced();
  proxy.rule = () => ({ delayMs: 3000 });
  await assert.rejects(db.synced({ timeoutMs: 50 }), Timeout);
  await assert.rejects(db.synced({ signal: AbortSignal.timeout(50) }), SynclineError);
});

test('at rest nothing is asked but the stream', async () => {
  const db = await device();
  await db.synced();
  await until(() => db.status.get().reason === 'in sync');
  await new Promise((resolve) => setTimeout(resolve, 100));
  proxy.requests = [];
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.deepEqual(proxy.requests.map((one) => one.path), []);
});

test('a watcher ends when told to, and hears once of a burst', async () => {
  const db = await device({ url: undefined });
  const seen = [];
  const stop = items(db).watch({}, (found) => seen.push(found.length));
  await until(() => seen.length === 1);
  await Promise.all(Array.from({ length: 20 }, (_, i) => items(db).put(`r${i}`, {})));
  await until(() => seen.at(-1) === 20);
  stop();
  await items(db).put('late', {});
  assert.equal(seen.at(-1), 20);
  assert.ok(seen.length <= 22, seen.join());
});

test('a device with a clock in 2035 wins nothing by it', async () => {
  const a = await device();
  await items(a).put('x', { by: 'a' });
  await a.synced();
  const real = Date.now;
  try {
    Date.now = () => Date.parse('2035-06-01T00:00:00Z');
    await items(a).put('x', { by: 'future' });
    await a.synced();
  } finally {
    Date.now = real;
  }
  assert.ok((await items(a).query())[0].updatedAt < '2035');
  await admin.space(space).put('items', 'x', { by: 'now' });
  await a.synced();
  assert.deepEqual(await items(a).get('x'), { by: 'now' });
});

test('devices that write at random, with faults on the way, converge', async () => {
  const devices = [await device(), await device(), await device()];
  let seed = 11;
  const random = (n) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
  const faults = ['lose', 'cut', 'twice', 'refuse', { status: 503, body: '{}' }, { delayMs: 20 }];
  proxy.rule = ({ path }) => (/changes|push/.test(path) && random(4) === 0 ? faults[random(faults.length)] : undefined);
  for (let i = 0; i < 120; ++i) {
    const db = devices[random(3)];
    const id = `r${random(12)}`;
    if (random(5) === 0) await items(db).delete(id);
    else await items(db).put(id, { n: i, by: devices.indexOf(db) });
    if (random(6) === 0) await db.synced().catch(() => undefined);
  }
  proxy.rule = () => undefined;
  for (let round = 0; round < 2; ++round) {
    for (const db of devices) await until(() => db.synced().then(() => true, () => false));
  }
  await equalOn(...devices);
  for (const db of devices) assert.equal(db.status.get().pending, 0);
});
