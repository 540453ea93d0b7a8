// Commands by the hub's own routes; the tests are the runner.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { commands } from '../dist/commands.js';
import { Hub as Caller } from '../dist/http.js';
import { open } from '../dist/index.js';
import { Hub, Proxy, until } from './harness.mjs';

let hub, proxy, mine, runner, approver;
before(async () => {
  hub = await Hub.start();
  proxy = await Proxy.start(hub.url);
  const keyOf = (label, scopes) => JSON.parse(hub.cli('key', 'add', '--account', 'ann@example.org', '--label', label,
    '--scopes', scopes, '--json')).key;
  mine = new Caller({ url: proxy.url, key: keyOf('ide', 'read,write,commands:submit') });
  runner = new Caller({ url: hub.url, key: keyOf('runner', 'read,commands:run') });
  approver = new Caller({ url: hub.url, key: keyOf('phone', 'read,commands:approve') });
});
after(async () => {
  await proxy.stop();
  await hub.stop();
});

const claim = () => runner.request('POST', '/command/claim?wait=20');
const report = (id, fields) => runner.request('PATCH', `/command/${id}`, fields);
const say = (id, data, stream = 'stdout') => runner.caller.call(
  { method: 'POST', path: `/command/${id}/output`, body: JSON.stringify({ stream, data }) });
const make = { type: 'execute_bash', command: 'make' };

test('a command is submitted, followed and has a result', async () => {
  const run = await commands(mine).submit(make);
  const { commandId } = await claim();
  assert.equal(commandId, run.id);
  const heard = [];
  const following = (async () => { for await (const event of run.output()) heard.push(event); })();
  await say(run.id, 'compiling\n');
  await say(run.id, 'warning\n', 'stderr');
  await until(() => heard.length === 2, 'live output');
  const waiting = run.result();
  await report(run.id, { status: 'completed', result: { stdout: 'compiling\n', stderr: 'warning\n', exitCode: 2 } });
  const command = await waiting;
  assert.deepEqual([command.id, command.status, command.result.exitCode], [run.id, 'completed', 2]);
  await following;
  assert.deepEqual(heard, [{ type: 'output', stream: 'stdout', text: 'compiling\n' },
    { type: 'output', stream: 'stderr', text: 'warning\n' }]);
});

test('a local copy can submit as well, and a submission with one key happens once', async () => {
  const db = await open({ name: 'ide', store: 'memory', url: hub.url, key: await mine.caller.key() });
  try {
    const options = { idempotencyKey: 'build-17' };
    const [first, second] = [await commands(db).submit(make, options), await commands(db).submit(make, options)];
    assert.equal(first.id, second.id);
    assert.equal((await commands(db).run(first.id).get()).status, 'pending');
    await first.cancel();
  } finally {
    db.close();
  }
});

test('the signal of a submission cancels the command', async () => {
  const controller = new AbortController();
  const run = await commands(mine).submit(make, { signal: controller.signal });
  controller.abort();
  const command = await run.result({ timeoutMs: 10_000 });
  assert.deepEqual([command.status, command.error], ['failed', 'cancelled']);
  await assert.rejects(commands(mine).submit(make, { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('a signal that comes while the submission is on its way leaves no command behind', async () => {
  const controller = new AbortController();
  proxy.rule = ({ method, path }) => (method === 'POST' && path === '/command' ? { delayMs: 300 } : undefined);
  const submitting = commands(mine).submit(make, { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(submitting, { name: 'AbortError' });
  proxy.rule = () => undefined;
  assert.equal((await commands(mine).list({ status: 'pending' })).length, 0);
});

test('a running command is cancelled by its runner', async () => {
  const run = await commands(mine).submit(make);
  await claim();
  await run.cancel();
  assert.equal((await run.get()).cancelRequested, true);
  await report(run.id, { status: 'failed', error: 'cancelled' });
  assert.equal((await run.result()).error, 'cancelled');
});

test('a command that waits for approval says so, and somebody else decides', async () => {
  const run = await commands(mine).submit({ type: 'execute_bash', command: 'npm publish' });
  await claim();
  const seen = [];
  const following = (async () => { for await (const event of run.output()) seen.push(event); })();
  await runner.request('POST', `/command/${run.id}/approval/request`, { rule: 'line 3: ask', pattern: 'npm publish' });
  await until(() => seen.some((event) => event.type === 'status' && event.approval.state === 'requested'), 'the request');
  const [held] = await commands(approver).list({ status: 'held' });
  assert.equal(held.id, run.id);
  await assert.rejects(commands(mine).approve(run.id), { name: 'Forbidden' });
  await commands(approver).deny(run.id, 'not today');
  const { status, error } = await run.result();
  assert.equal(status, 'failed');
  assert.match(error, /not today/);
  await following;

  const other = await commands(mine).submit({ type: 'execute_bash', command: 'npm publish' });
  await claim();
  await runner.request('POST', `/command/${other.id}/approval/request`, { rule: 'line 3: ask', pattern: 'npm publish' });
  await commands(approver).approve(other.id, { always: false });
  assert.equal((await claim()).commandId, other.id);
  await report(other.id, { status: 'completed', result: {} });
});

test('result() waits on while the hub cannot be reached, and no longer than it is told', async () => {
  const run = await commands(mine).submit(make);
  await claim();
  await assert.rejects(run.result({ timeoutMs: 100 }), { name: 'Timeout' });
  let lost = 0;
  proxy.rule = ({ method }) => (method === 'GET' && ++lost <= 5 ? 'refuse' : undefined);
  const waiting = run.result({ timeoutMs: 30_000 });
  await until(() => lost > 4, 'repeats');
  await report(run.id, { status: 'completed', result: { exitCode: 0 } });
  assert.equal((await waiting).status, 'completed');
  proxy.rule = () => undefined;
});
