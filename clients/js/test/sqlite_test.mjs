// The store of Node: the suite of the stores, and what only a file can do wrong. Needs a Node with SQLite: test.sh runs
// this file with the one of test/packaging.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { kSqliteSteps, noteCopy, readState, SqliteStore, storeError } from '#internals';
import { open } from '../dist/index.js';
import { Hub as Caller } from '../dist/http.js';
import { sqlite } from '../dist/sqlite.js';
import { Device, localSpaceCases } from './cases/local_space_cases.mjs';
import { storeCases } from './cases/store_cases.mjs';
import { Hub, until } from './harness.mjs';

const root = new URL('..', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'syncline-js-sqlite-'));
let hub, number = 0;
before(async () => { hub = await Hub.start(); });
after(async () => {
  await hub.stop();
  rmSync(directory, { recursive: true, force: true });
});

const newFile = () => join(directory, `copy${++number}.db`);
const openStore = (file = newFile(), steps = undefined) => SqliteStore.open(file, storeError, steps);
const row = (id, seq, more = {}) => ({
  space: 's', collection: 'c', id, seq, at: '2026-01-01T00:00:00.000000Z', deleted: false, doc: '{}', ...more,
});
const read = (store, id) => store.read((tx) => tx.find('s', 'c', id));

for (const [name, run] of Object.entries({ ...storeCases, ...localSpaceCases })) {
  test(`SQLite: ${name}`, () => run(() => openStore()));
}

test('SQLite: half of a surrogate pair in a key survives and sorts as the contract says', async () => {
  const store = await openStore();
  const values = ['d\ud83d', 'd\ud83d\ude00', 'd\uffff', 'da'];
  await store.write(async (tx) => {
    for (const value of values) tx.putEntry({ space: 's', collection: 'c', field: 'f', value, id: value });
  });
  const found = await store.read((tx) => tx.entries('s', 'c', 'f', { limit: 9 }));
  assert.deepEqual(found.map((one) => one.value), [...values].sort());
  assert.deepEqual(found.map((one) => one.id), [...values].sort());
  store.close();
});

test('SQLite: two records at one place of the feed are an error, and nothing is stored', async () => {
  const store = await openStore();
  await store.write(async (tx) => tx.put(row('a', 1)));
  await assert.rejects(store.write(async (tx) => {
    tx.put(row('b', 2));
    tx.put(row('c', 1));
  }), { code: 'store_failed' });
  assert.deepEqual(await read(store, 'a'), row('a', 1));
  assert.equal(await read(store, 'b'), undefined);
  store.close();
});

test('SQLite: a store of an older schema is moved forward with what it has, and a step that fails changes nothing', async () => {
  const file = newFile();
  const old = await openStore(file);
  await old.write(async (tx) => tx.put(row('a', 1, { own: 1 })));
  old.close();
  await assert.rejects(openStore(file, [...kSqliteSteps, 'alter table rows add column more text; no sql']), { code: 'store_failed' });
  const same = await openStore(file);
  assert.deepEqual(await read(same, 'a'), row('a', 1, { own: 1 }));
  same.close();
  const newer = [...kSqliteSteps, 'create table more(name text); insert into more select at from rows'];
  const moved = await openStore(file, newer);
  assert.deepEqual(await read(moved, 'a'), row('a', 1, { own: 1 }));
  moved.close();
  (await openStore(file, newer)).close();  // a step is taken once
  const connection = new DatabaseSync(file);
  assert.equal(connection.prepare('select count(*) as count from more').get().count, 1);
  connection.close();
  const error = await openStore(file).catch((reason) => reason);
  assert.deepEqual([error.name, error.code], ['StoreTooNew', 'store_too_new']);
  const kept = await openStore(file, newer);
  assert.deepEqual(await read(kept, 'a'), row('a', 1, { own: 1 }));
  kept.close();
});

test('SQLite: a file of another program is refused and left as it is', async () => {
  const file = newFile();
  const theirs = new DatabaseSync(file);
  theirs.exec('create table theirs(a); insert into theirs values(7)');
  await assert.rejects(openStore(file), { code: 'store_failed', detail: /something else/ });
  assert.deepEqual(theirs.prepare('select name from sqlite_master').all().map((one) => one.name), ['theirs']);
  theirs.close();
  const text = newFile();
  writeFileSync(text, 'not a database, and long enough to be looked at as one. '.repeat(40));
  await assert.rejects(openStore(text), { code: 'store_failed' });
});

test('SQLite: a program that writes on and on gets to its timers', async () => {
  const store = await openStore();
  let isOver = false;
  setTimeout(() => { isOver = true; }, 20);
  let writes = 0;
  for (; !isOver && writes < 100_000; ++writes) await store.write(async (tx) => tx.setValue('n', writes));
  assert.ok(writes < 100_000);
  store.close();
});

test('SQLite: two openings of a file write one after the other', async () => {
  const file = newFile();
  const stores = [await openStore(file), await openStore(file)];
  await Promise.all(stores.flatMap((store) => Array.from({ length: 50 }, () => store.write(async (tx) => {
    const before = await tx.value('count') ?? 0;
    tx.setValue('count', before + 1);
  }))));
  assert.equal(await stores[0].read((tx) => tx.value('count')), 100);
  for (const store of stores) store.close();
});

test('SQLite: what was acknowledged is there after a SIGKILL', async () => {
  const file = newFile();
  const program = `
    import { writeSync } from 'node:fs';
    import { SqliteStore, storeError } from '#internals';
    const store = await SqliteStore.open(process.argv[1], storeError);
    for (let i = 0; ; ++i) {
      await store.write(async (tx) => tx.setValue('count', i));
      writeSync(1, i + '\\n');
    }`;
  for (let round = 0; round < 3; ++round) {
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program, file], { cwd: root });
    let text = '';
    child.stdout.on('data', (bytes) => { text += bytes; });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until(() => text.split('\n').length > 20 + round, 'acknowledged writes');
    child.kill('SIGKILL');
    await ended;
    const last = Number(text.split('\n').at(-2));
    const store = await openStore(file);
    const count = await store.read((tx) => tx.value('count'));
    store.close();
    assert.ok(count === last || count === last + 1, `${count} is stored, ${last} was acknowledged`);
  }
});

test('SQLite: a file that was copied, or put back from a backup, is noticed once', async () => {
  const isNoticed = async (store) => {
    const device = await Device.make(async () => store);
    await store.write(async (tx) => tx.setValue('spaces', ['notes']));
    await device.edit('{"n":1}', `r${++number}`);
    const before = await store.read((tx) => readState(tx, 'notes'));
    await noteCopy(store);
    const { head, sentThrough } = await store.read((tx) => readState(tx, 'notes'));
    assert.ok(before.sentThrough < before.head, 'something waits');
    return sentThrough === head;
  };
  const file = newFile();
  const open = async (name = file) => {
    const store = await openStore(name);
    const noticed = await isNoticed(store);
    store.close();
    return noticed;
  };
  assert.equal(await open(), false, 'a new file');
  assert.equal(await open(), false, 'the same file');
  const backup = newFile();
  const copy = newFile();
  copyFileSync(file, backup);
  for (const end of ['', '-place']) copyFileSync(file + end, copy + end);
  assert.equal(await open(copy), true, 'a copy with all that belongs to it');
  assert.equal(await open(copy), false, 'the copy is a store of its own now');
  assert.equal(await open(), false, 'the original goes on');
  copyFileSync(backup, file);
  assert.equal(await open(), true, 'an older state in the same file');
});

test('SQLite: a local copy in a file syncs, stays, and is gone after logout', async () => {
  const file = newFile();
  const key = hub.addKey();
  const options = { name: 'todo', url: hub.url, key, spaces: ['files'], sync: { windowMs: 0 }, store: sqlite(file) };
  let db = await open(options);
  const admin = new Caller({ url: hub.url, key }).space('files');
  await admin.put('items', 'theirs', { n: 1.5 });
  await db.space('files').collection('items').put('mine', { n: 1 });
  await db.synced();
  db.close();
  db = await open({ ...options, url: undefined });
  assert.deepEqual((await db.space('files').collection('items').query()).map(({ id, doc }) => [id, doc]),
    [['mine', { n: 1 }], ['theirs', { n: 1.5 }]]);
  await db.space('files').collection('items').put('later', { n: 2 });
  db.close();
  db = await open(options);
  await db.synced();
  assert.equal((await admin.get('items', 'later')).doc.n, 2);
  assert.equal((await admin.history('items', 'mine')).length, 1);
  assert.equal(db.status.get().evictable, false);
  assert.ok(existsSync(file));
  await db.logout({ discard: false });
  assert.deepEqual(readdirSync(directory).filter((name) => join(directory, name).startsWith(file)), []);
});

test('a Node without SQLite says what to do instead', async () => {
  const program = `
    import { open } from '@syncline/client';
    import { sqlite } from '@syncline/client/sqlite';
    const error = await open({ name: 'todo', store: sqlite(process.argv[1]) }).catch((reason) => reason);
    console.log(error.name, error.code, error.detail);`;
  const { stdout } = await promisify(execFile)(process.execPath,
    ['--no-experimental-sqlite', '--input-type=module', '-e', program, newFile()], { cwd: root });
  assert.match(stdout, /^SynclineError no_store .*Node 22.13 or later/);
});
