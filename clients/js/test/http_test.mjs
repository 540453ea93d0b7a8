// The calls of /v1 against a real hub, through a proxy that makes faults.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import {
  Cancelled, Conflict, Forbidden, Hub, NotFound, Refused, Timeout, Unauthorized, Unreachable,
} from '../dist/http.js';
import { deadUrl, Hub as TestHub, Proxy } from './harness.mjs';

let server, proxy, key, hub, notes;
before(async () => {
  server = await TestHub.start();
  proxy = await Proxy.start(server.url);
  key = server.addKey();
});
after(async () => {
  await proxy.stop();
  await server.stop();
});
beforeEach(() => {
  proxy.rule = () => undefined;
  proxy.requests = [];
  hub = new Hub({ url: proxy.url, key });
  notes = hub.space('my-notes/ä');
});

test('push, changes, records and history carry the same versions', async () => {
  const pushed = await notes.push([{ collection: 'a', id: 'x/ü', doc: { n: 1 } }, { collection: 'a', id: 'y', doc: 3 }]);
  assert.equal(pushed.results[0].status, 'applied');
  assert.equal(pushed.results[1].error.code, 'invalid_document');
  const page = await notes.changes();
  assert.deepEqual(page.changes.map((one) => [one.id, one.doc]), [['x/ü', { n: 1 }]]);
  assert.equal((await notes.changes({ since: page.cursor })).changes.length, 0);
  const record = await notes.get('a', 'x/ü');
  assert.deepEqual(record.doc, { n: 1 });
  await notes.put('a', 'x/ü', { n: 2 }, { ifMatch: record.etag });
  assert.deepEqual((await notes.history('a', 'x/ü')).map((one) => one.doc.n), [2, 1]);
  assert.deepEqual((await notes.list('a')).records.map((one) => one.id), ['x/ü']);
  await notes.delete('a', 'x/ü');
  await assert.rejects(notes.get('a', 'x/ü'), NotFound);
});

test('an account, its spaces and its keys', async () => {
  assert.equal((await hub.me()).account, 'ann@example.org');
  const made = await hub.createKey({ label: 'phone', scopes: ['read'] });
  assert.ok((await hub.keys()).some((one) => one.id === made.id));
  const reader = new Hub({ url: server.url, key: made.key });
  await reader.spaces();
  await assert.rejects(reader.space('s').put('a', 'x', {}), (error) => {
    assert.ok(error instanceof Forbidden);
    assert.equal(error.scope, 'write');
    return true;
  });
  await hub.revokeKey(made.id);
  await assert.rejects(reader.me(), (error) => error instanceof Unauthorized && error.retry === 'after_reauth' &&
    error.requestId?.length > 0);
});

test('a losing version is listed as a conflict and can be restored', async () => {
  const space = hub.space('disputed');
  await space.put('a', 'x', { by: 'winner' });
  await space.push([{ collection: 'a', id: 'x', base: 0, updated_at: '2026-01-02T00:00:00Z', doc: { by: 'loser' } }]);
  const [conflict] = await space.conflicts();
  assert.equal(conflict.loser.doc.by, 'loser');
  await space.resolve(conflict.id, 'restore');
  assert.equal((await space.get('a', 'x')).doc.by, 'loser');
});

test('a precondition that does not hold is a Conflict, and a bad request is Refused', async () => {
  await notes.put('b', 'x', {}, { ifNoneMatch: '*' });
  await assert.rejects(notes.put('b', 'x', {}, { ifNoneMatch: '*' }),
    (error) => error instanceof Conflict && error.code === 'precondition_failed');
  await assert.rejects(hub.space('s').changes({ since: 'nonsense' }), Refused);
});

test('a push whose answer is lost is repeated with the same idempotency key and takes effect once', async () => {
  for (const fault of ['lose', 'cut', 'refuse', 'twice']) {
    const space = hub.space(`faults-${fault}`);
    proxy.requests = [];
    proxy.rule = () => (proxy.requests.length === 1 ? fault : undefined);
    const { results } = await space.push([{ collection: 'a', id: 'x', doc: { fault } }]);
    assert.equal(results[0].status, 'applied', fault);
    const keys = new Set(proxy.requests.map((one) => one.headers['idempotency-key']));
    assert.equal(keys.size, 1, fault);
    assert.equal(proxy.requests.length, fault === 'twice' ? 1 : 2, fault);
    assert.equal((await space.history('a', 'x')).length, 1, fault);
  }
});

test('gives up after three repeats, and honours Retry-After', async () => {
  proxy.rule = () => ({ status: 503, headers: { 'Retry-After': '1' }, body: '{"code":"unavailable"}' });
  const began = Date.now();
  await assert.rejects(hub.me(), (error) => error instanceof Unreachable && error.code === 'unavailable');
  assert.equal(proxy.requests.length, 4);
  assert.ok(Date.now() - began >= 3000);
});

test('a Retry-After that is longer than anybody waits is handed to the caller', async () => {
  proxy.rule = () => ({ status: 429, headers: { 'Retry-After': '3600' } });
  await assert.rejects(hub.me(), (error) => error.retryAfterMs === 3_600_000 && error.retry === 'later');
  assert.equal(proxy.requests.length, 1);
});

test('an error that no repeat betters is not repeated', async () => {
  proxy.rule = () => ({ status: 500, body: 'oops' });
  await assert.rejects(hub.me(), (error) => error.code === 'http_500');
  assert.equal(proxy.requests.length, 1);
});

test('a hub that is not there is Unreachable', async () => {
  const away = new Hub({ url: await deadUrl(), key, timeoutMs: 600 });
  await assert.rejects(away.me(), (error) => error instanceof Timeout || error instanceof Unreachable);
});

test('a call ends when its time is over, and when its signal says so', async () => {
  proxy.rule = () => ({ delayMs: 5000 });
  await assert.rejects(hub.me({ timeoutMs: 50 }), Timeout);
  const controller = new AbortController();
  const call = hub.me({ signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(call, Cancelled);
  await assert.rejects(hub.me({ signal: AbortSignal.abort() }), Cancelled);
});

test('a key function that never answers ends with the call', async () => {
  const stuck = new Hub({ url: proxy.url, key: () => new Promise(() => {}) });
  await assert.rejects(stuck.me({ timeoutMs: 50 }), Timeout);
});

test('a key function is asked again once after 401, by one call at a time', async () => {
  let asked = 0;
  const renewing = new Hub({ url: proxy.url, key: async () => (++asked === 1 ? 'old' : key) });
  const answers = await Promise.all([renewing.me(), renewing.me()]);
  assert.equal(answers[1].account, 'ann@example.org');
  assert.ok(asked <= 3, `asked ${asked} times`);
  const refused = new Hub({ url: proxy.url, key: () => 'wrong' });
  proxy.requests = [];
  await assert.rejects(refused.me(), Unauthorized);
  assert.equal(proxy.requests.length, 1);
});

test('events tell of changes, and end with an error when the connection does', async () => {
  const space = hub.space('live');
  await space.put('a', 'x', {});
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  const events = hub.events(['live'], { onOpen: open });
  const first = events.next();
  await opened;
  await space.put('a', 'y', {});
  const { value } = await first;
  assert.equal(value.space, 'live');
  assert.equal(value.type, 'change');
  const second = events.next();
  second.catch(() => undefined);
  await server.kill();
  await assert.rejects(second, Unreachable);
  await server.up();
});

test('the CommonJS build has the same names', () => {
  const required = createRequire(import.meta.url)('../dist/http.cjs');
  assert.equal(typeof required.Hub, 'function');
  assert.equal(typeof required.AccountMismatch, 'function');
});
