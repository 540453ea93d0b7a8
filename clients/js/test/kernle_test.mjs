// What an agent remembers, in the local copy, with a hub between its devices.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { open } from '../dist/index.js';
import { ChangedMeanwhile, kernle } from '../dist/kernle.js';
import { Hub, until } from './harness.mjs';

let hub, key, number = 0;
let agent;  // of this test
const opened = [];
before(async () => { hub = await Hub.start(); });
after(() => hub.stop());
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
  ++number;
});

async function device({ isOnline = true, ...options } = {}) {
  key ??= hub.addKey('read,write');
  agent = `agent${number}`;
  const db = await open({ name: 'memory', store: 'memory', sync: { windowMs: 0 },
    ...(isOnline && { url: hub.url, key }) });
  opened.push(db);
  return Object.assign(kernle(db, agent, options), { db });
}
const offline = (options = {}) => device({ isOnline: false, ...options });

test('a memory of each kind comes back as it was given', async () => {
  const claire = await offline();
  for (const kind of ['note', 'decision', 'insight', 'episode', 'belief', 'value', 'goal']) {
    const { status, id } = await claire.remember({ text: `Text of ${kind}`, title: 'Title', kind, tags: ['a'],
      source: 'a test', ...(kind === 'episode' && { lessons: ['Look first'] }) });
    assert.equal(status, 'stored');
    const memory = await claire.get(id);
    assert.deepEqual([memory.kind, memory.text, memory.tags, memory.source], [kind, `Text of ${kind}`, ['a'], 'a test']);
    assert.equal(memory.title, ['episode', 'value', 'goal'].includes(kind) ? 'Title' : undefined);
    assert.deepEqual(memory.lessons, kind === 'episode' ? ['Look first'] : []);
  }
  assert.equal((await claire.recent({ limit: 3, kinds: ['note', 'goal'] })).length, 2);
});

test('the same text is stored once, whatever its case, spaces and punctuation', async () => {
  const claire = await offline();
  const { id } = await claire.remember({ text: 'Check the logs first.', tags: ['db'] });
  const again = await claire.remember({ text: ' check the  LOGS, first ', tags: ['ops', 'db'] });
  assert.deepEqual(again, { status: 'already_known', id });
  assert.deepEqual((await claire.get(id)).tags, ['db', 'ops']);
  const other = await claire.remember({ text: 'Check the logs first', kind: 'belief' });
  assert.equal(other.status, 'stored');
});

test('the id follows from agent, kind and text, as every other implementation derives it', async () => {
  const claire = await offline();
  const { id } = await claire.remember({ text: 'Ünï code — “quotes”!' });
  const digest = createHash('sha256').update(`${agent}\0note\0ünï code quotes`).digest();
  let bits = '';
  for (const byte of digest) bits += byte.toString(2).padStart(8, '0');
  const letters = Array.from({ length: 26 }, (_, i) =>
    'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(bits.slice(i * 5, i * 5 + 5), 2)]);
  assert.equal(id, `notes/m_${letters.join('')}`);
  for (const length of [54, 55, 56, 63, 64, 1000]) {
    const { id: long } = await claire.remember({ text: 'x'.repeat(length) });
    const prefix = createHash('sha256').update(`${agent}\0note\0${'x'.repeat(length)}`).digest();
    assert.equal(long[8], 'abcdefghijklmnopqrstuvwxyz234567'[prefix[0] >> 3], `${length}`);
  }
});

test('two devices that remember the same while offline have one memory after sync, with the tags of both', async () => {
  const [a, b] = [await device(), await device()];
  await a.db.space(`kernle/${agent}`);
  const first = await a.remember({ text: 'Prefers tabs', tags: ['style'] });
  const second = await b.remember({ text: 'prefers TABS', tags: ['editor'] });
  assert.equal(first.id, second.id);
  await until(async () => {
    await Promise.all([a.db.synced(), b.db.synced()]);
    const tags = [await a.get(first.id), await b.get(first.id)].map((one) => one.tags.toSorted?.() ?? [...one.tags].sort());
    return tags.every((one) => one.join() === 'editor,style');
  }, 'united tags');
  assert.equal((await a.recent()).length, 1);
});

test('an update needs the version that was read, and keeps the earlier text', async () => {
  const claire = await offline();
  const { id } = await claire.remember({ text: 'Timeout is 5 s', tags: ['db'] });
  const { version } = await claire.get(id);
  const changed = await claire.update(id, { version, text: 'Timeout is 10 s', addTags: ['prod'], removeTags: ['db'],
    reason: 'changed in review' });
  assert.deepEqual([changed.text, changed.tags], ['Timeout is 10 s', ['prod']]);
  await assert.rejects(claire.update(id, { version, text: 'Timeout is 15 s', reason: 'x' }), (error) => {
    assert.ok(error instanceof ChangedMeanwhile);
    assert.equal(error.code, 'changed_meanwhile');
    assert.equal(error.present.text, 'Timeout is 10 s');
    return true;
  });
  const [revision] = (await claire.db.space(`kernle/${agent}`).collection('notes').get(id.slice(6))).syncline_revisions;
  assert.deepEqual([revision.text, revision.reason], ['Timeout is 5 s', 'changed in review']);
  const again = await claire.remember({ text: 'Timeout is 5 s' });
  assert.equal(again.status, 'stored');
  assert.notEqual(again.id, id, 'that place says something else by now');
});

test('forgetting needs no hub, and with a version only that one goes', async () => {
  const claire = await offline();
  const { id } = await claire.remember({ text: 'Wrong' });
  await assert.rejects(claire.forget(id, { version: 'v_000000000000' }), { code: 'changed_meanwhile' });
  await claire.forget(id, { version: (await claire.get(id)).version });
  assert.equal(await claire.get(id), undefined);
  await assert.rejects(claire.forget(id), { code: 'not_found' });
});

test('a search asks the hub, and offline the words of the copy say what matches', async () => {
  const claire = await device();
  await claire.remember({ text: 'Statement timeout of postgres is 5 s', tags: ['db'] });
  await claire.remember({ text: 'Lunch at noon' });
  await claire.db.synced();
  const found = await claire.search('postgres time');
  assert.deepEqual([found.length, found[0].text.slice(0, 9), found.partial], [1, 'Statement', undefined]);
  const fresh = await claire.remember({ text: 'Postgres time zone is UTC' });
  assert.ok((await claire.search('postgres time')).some(({ id }) => id === fresh.id), 'before the hub knows it');

  const alone = await offline();
  await alone.remember({ text: 'Statement timeout of postgres is 5 s', tags: ['db'] });
  const local = await alone.search('postgres timeo');
  assert.deepEqual([local.length, local.partial], [1, true]);
  assert.equal((await alone.search('timeo postgres')).length, 0, 'only the last word may be a beginning');
  assert.equal((await alone.search('db')).length, 1);
});

test('texts that look like secrets are refused, and harmless ones are not', async () => {
  const claire = await offline();
  const secrets = [`ghp_${'a1B2'.repeat(9)}`, 'AKIAIOSFODNN7EXAMPLE', 'password: hunter22', `sl_${'a1'.repeat(20)}`,
    '-----BEGIN OPENSSH PRIVATE KEY-----', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${'x'.repeat(20)}`,
    `knl_sk_${'0123456789abcdef'.repeat(2)}`, `sk-proj-${'aB3'.repeat(10)}`, `glpat-${'x1'.repeat(10)}`,
    `token = ${'Zx9+'.repeat(10)}`, `xoxb-${'1234567890'}-abc`];
  for (const secret of secrets) {
    await assert.rejects(claire.remember({ text: `Use ${secret} here` }), (error) => {
      assert.equal(error.code, 'looks_like_a_secret', secret);
      assert.ok(!error.message.includes(secret), 'the error does not repeat it');
      return true;
    }, secret);
    await assert.rejects(claire.remember({ text: 'x', tags: [secret] }), { code: 'looks_like_a_secret' });
  }
  for (const harmless of ['The password is in the vault', 'Commit 8e03978e40d54a9a8e0397a0c3b1d2e4f5a6b7c8 broke it',
    'Idempotency key 8e03978e-40d5-4a9a-8e03-97a0c3b1d2e4', 'Key: always check the logs', 'sk-learn is a library',
    'password: see the wiki', 'image-4f9b2c.png']) {
    assert.equal((await claire.remember({ text: harmless })).status, 'stored', harmless);
  }
  const careless = await offline({ secrets: 'allow' });
  assert.equal((await careless.remember({ text: secrets[0] })).status, 'stored');
});
