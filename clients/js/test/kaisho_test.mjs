// Time tracking in the local copy, with a hub between two devices and a phone.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Hub as Caller } from '../dist/http.js';
import { open } from '../dist/index.js';
import { kaisho } from '../dist/kaisho.js';
import { Hub, until } from './harness.mjs';

const kUuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
let hub, key, phone;
const opened = [];
before(async () => { hub = await Hub.start(); });
after(() => hub.stop());
afterEach(async () => {
  for (const db of opened.splice(0)) db.close();
  await phone?.request('DELETE', '/sync/entries').catch(() => undefined);  // offline tests have no phone
});

async function device(options = {}) {
  key ??= hub.addKey('read,write');
  phone ??= new Caller({ url: hub.url, key });
  const db = await open({ name: 'time', store: 'memory', url: hub.url, key, indexes: { entries: ['start', 'end'] },
    sync: { windowMs: 0 }, ...options });
  opened.push(db);
  return Object.assign(kaisho(db), { db });
}
const offline = () => device({ url: undefined });
const at = (text) => new Date(`2026-03-02T${text}:00.000Z`);
const told = ({ description, start, end }) => [description, start.slice(11, 16), end && end.slice(11, 16)];

test('a start ends the entry that runs, at the moment of the tap', async () => {
  const { timer, entries } = await offline();
  const first = await timer.start({ customer: 'Acme', description: 'one', at: at('09:00') });
  assert.match(first.id, kUuid7);
  await timer.start({ description: 'two', at: at('09:40') });
  assert.equal((await timer.running()).description, 'two');
  assert.deepEqual((await entries.between()).map(told), [['two', '09:40', null], ['one', '09:00', '09:40']]);
  const stopped = await timer.stop({ at: at('10:00') });
  assert.deepEqual(told(stopped), ['two', '09:40', '10:00']);
  assert.equal(await timer.running(), undefined);
});

test('the first stop counts, and a stop of nothing is no error', async () => {
  const { timer, entries } = await offline();
  const { id } = await timer.start({ at: at('09:00') });
  await Promise.all([timer.stop({ at: at('09:30') }), timer.stop({ at: at('09:45') })]);
  assert.equal((await entries.get(id)).end, '2026-03-02T09:30:00.000000Z');
  assert.equal(await timer.stop(), undefined);
});

test('the later start wins, whenever it is told', async () => {
  const { timer, entries } = await offline();
  const running = await timer.start({ description: 'later', at: at('10:00') });
  assert.equal((await timer.start({ description: 'earlier', at: at('09:00') })).id, running.id);
  assert.deepEqual((await entries.between()).map(told), [['later', '10:00', null], ['earlier', '09:00', '10:00']]);
});

test('an entry never ends before it starts', async () => {
  const { timer, entries } = await offline();
  await timer.start({ at: at('09:00') });
  assert.deepEqual(told(await timer.stop({ at: at('08:00') })), ['', '09:00', '09:00']);
  await assert.rejects(entries.book({ start: at('09:00'), end: at('08:00') }), { code: 'time_out_of_range' });
  const { id } = await entries.book({ start: at('09:00'), minutes: 30 });
  await assert.rejects(entries.change(id, { end: '2026-03-02T08:00:00Z' }), { code: 'time_out_of_range' });
  assert.equal((await entries.get(id)).end, '2026-03-02T09:30:00.000000Z');
});

test('time is booked by minutes or by two times', async () => {
  const { entries } = await offline();
  const call = await entries.book({ minutes: 30, customer: 'Acme' });
  assert.equal(Date.parse(call.end) - Date.parse(call.start), 1_800_000);
  assert.ok(Math.abs(Date.parse(call.end) - Date.now()) < 5000);
  assert.deepEqual(told(await entries.book({ minutes: 15, end: at('12:00') })), ['', '11:45', '12:00']);
  for (const wrong of [{}, { start: at('09:00') }, { minutes: 5, start: at('09:00'), end: at('10:00') }]) {
    await assert.rejects(entries.book(wrong), { code: 'give_minutes_or_start_and_end' });
  }
  const found = await entries.between({ from: at('11:00'), to: at('12:00') });
  assert.deepEqual(found.map(told), [['', '11:45', '12:00']]);
  assert.equal((await entries.between({ customer: 'Acme' })).length, 1);
});

test('rows have all fields, and change one by one', async () => {
  const { inbox, tasks, notes } = await offline();
  const idea = await inbox.add({ title: 'Timer on the watch', type: 'IDEA' });
  assert.equal(idea.direction, 'in');
  const task = await tasks.add({ title: 'Port', tags: ['code'] });
  assert.deepEqual((await tasks.change(task.id, { status: 'DONE' })).tags, ['code']);
  assert.deepEqual((await tasks.list({ where: { status: 'DONE' } })).map(({ id }) => id), [task.id]);
  const note = await notes.add({ body: 'x', task_id: task.id });
  await notes.remove(note.id);
  assert.equal(await notes.get(note.id), undefined);
  await assert.rejects(notes.change(note.id, { body: 'y' }), { code: 'not_found' });
});

test('a watcher is told of the timer that runs', async () => {
  const { timer } = await offline();
  const seen = [];
  const stop = timer.watch((running) => seen.push(running?.description));
  await until(() => seen.length === 1, 'the first call');
  await timer.start({ description: 'now' });
  await until(() => seen.at(-1) === 'now', 'the start');
  await timer.stop();
  await until(() => seen.at(-1) === undefined, 'the stop');
  stop();
});

test('the hub stores what is written here as it is, and its phone routes show it', async () => {
  const device1 = await device();
  await device1.entries.book({ minutes: 30, customer: 'Acme', description: 'Call' });
  await device1.inbox.add({ title: 'Ask', body: 'When?' });
  await device1.tasks.add({ title: 'Port' });
  await device1.notes.add({ body: 'n' });
  await device1.timer.start({ description: 'Review', customer: 'Acme' });
  const written = {};
  for (const collection of ['entries', 'inbox', 'tasks', 'notes']) {
    for (const { id, doc } of await device1.db.space('kaisho').collection(collection).query()) written[id] = doc;
  }
  await device1.db.synced();
  const active = await phone.request('GET', '/clocks/active');
  assert.equal(active.description, 'Review');
  for (const collection of ['entries', 'inbox', 'tasks', 'notes']) {
    const { records } = await phone.space('kaisho').list(collection);
    for (const { id, doc } of records) {
      assert.equal(JSON.stringify(doc), JSON.stringify(written[id]), 'the same text');
      assert.equal((await phone.space('kaisho').history(collection, id)).length, 1, 'no echo');
      delete written[id];
    }
  }
  assert.deepEqual(written, {}, 'all of it has arrived');
  await phone.request('POST', '/clocks/stop');
  await until(async () => (await device1.timer.running()) === undefined, 'the stop by the phone');
});

test('two devices that started while they were offline end with one timer', async () => {
  const [a, b] = [await device(), await device()];
  await a.db.synced();
  await b.db.synced();
  await a.timer.start({ description: 'a', at: new Date(Date.now() - 60_000) });
  await b.timer.start({ description: 'b' });
  await until(async () => {
    await Promise.all([a.db.synced(), b.db.synced()]);
    const both = [await a.timer.running(), await b.timer.running()];
    const open = [await a.entries.list({ where: { end: null } }), await b.entries.list({ where: { end: null } })];
    return both.every((one) => one?.description === 'b') && open.every((list) => list.length === 1);
  }, 'one timer on both');
});
