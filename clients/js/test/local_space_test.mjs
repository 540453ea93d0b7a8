// The cases of every store, here with the store in memory; browser_test.mjs runs the same with IndexedDB.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Indexes, kLimits, LocalSpace, MemoryStore, Refused, SpaceReplica, Timeout, Unauthorized, Unreachable,
} from '#internals';
import { localSpaceCases } from './cases/local_space_cases.mjs';
import { storeCases } from './cases/store_cases.mjs';

const makeStore = () => new MemoryStore(() => Object.assign(new Error('closed'), { code: 'closed' }));

for (const [name, run] of Object.entries({ ...storeCases, ...localSpaceCases })) {
  test(name, () => run(async () => makeStore()));
}

class Replica {
  static async make(limits = {}) {
    const replica = new Replica();
    replica.now = 0;
    replica.limits = { ...kLimits, ...limits };
    replica.local = new LocalSpace(makeStore(), 'notes', new Indexes(), replica.limits);
    await replica.local.load();
    replica.space = new SpaceReplica(replica.local, replica.limits);
    await replica.space.connect(false, 0);
    return replica;
  }
  /** The next request, which ends with `outcome`. */
  async ask(outcome) {
    this.now += 3_600_000;
    // The end of a cycle makes no request; the next cycle does.
    const request = await this.space.next(this.now, 0, false) ?? await this.space.next(this.now, 0, false);
    if (request !== undefined) await this.space.finish(request.ticket, outcome, this.now, 0);
    return request;
  }
  async timeout(outcome) {
    return (await this.ask(outcome))?.timeoutMs;
  }
}
const late = new Timeout('timeout', 'no answer came in time');

test('a pull that cannot shrink gets more time', async () => {
  const replica = await Replica.make({ pageMax: 4 });
  const times = [];
  for (let i = 0; i < 8; ++i) times.push(await replica.timeout(late));
  assert.deepEqual(times, [60_000, 60_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  // A hub that is away is no slow link.
  assert.equal(await replica.timeout(new Unreachable('unreachable', 'connection refused')), 600_000);
  assert.equal(await replica.timeout(new Unreachable('unavailable', '', { status: 503 })), 600_000);
  assert.equal(await replica.timeout(late), 60_000);
});

test('a push that the hub does not take as a whole shrinks down to the change at fault', async () => {
  const replica = await Replica.make();
  await replica.ask('{"changes":[],"cursor":"h-1.0","more":false}');
  for (let i = 0; i < 4; ++i) await replica.local.edit('c', `r${i}`, () => `{"n":${i}}`);
  replica.space.machine.noteLocalWrite();
  const sizes = [];
  let seq = 0;
  for (let i = 0; i < 12 && replica.local.state.pushed < 4; ++i) {
    const request = await replica.space.next(replica.now += 3_600_000, 0, false);
    if (request.method === 'GET') {
      await replica.space.finish(request.ticket, `{"changes":[],"cursor":"h-1.${seq}","more":false}`, replica.now, 0);
      continue;
    }
    const { ops } = JSON.parse(request.body);
    sizes.push(ops.length);
    const isBad = ops.some((op) => op.doc.n === 2);
    const results = ops.map(() => ({ status: 'applied', seq: ++seq }));
    await replica.space.finish(request.ticket,
      isBad ? new Refused('too_bad', 'no', { status: 400 }) : JSON.stringify({ cursor: `h-1.${seq}`, results }),
      replica.now, 0);
  }
  assert.deepEqual(sizes, [4, 2, 2, 1, 1]);
  assert.equal(replica.local.waitingRefused, 1);
});

test('a refused key keeps the queue, and the status says so', async () => {
  const replica = await Replica.make();
  await replica.local.edit('c', 'r', () => '{}');
  await replica.ask(new Unauthorized('invalid_token', 'the key was revoked', { status: 401 }));
  assert.equal(replica.space.machine.status(replica.now).state, 'reauth');
  assert.equal((await replica.local.nextBatch(false, 10)).items.length, 1);
});

test('a hub that answers 410 to who knows nothing is not understood, and to others has another history', async () => {
  const replica = await Replica.make();
  const gone = new Refused('epoch_changed', 'gone', { status: 410 });
  await replica.ask(gone);
  assert.match(replica.space.machine.status(replica.now).reason, /invalid answer/);
  await replica.ask('{"changes":[],"cursor":"h-1.5","more":false}');
  const { generation } = replica.local.state;
  replica.space.machine.syncNow(replica.now);
  await replica.ask(gone);
  assert.equal(replica.local.state.generation, generation + 1);
  const expired = await Replica.make();
  await expired.ask('{"changes":[],"cursor":"h-1.5","more":false}');
  expired.space.machine.syncNow(expired.now);
  await expired.ask(new Refused('cursor_expired', 'gone', { status: 410 }));
  assert.equal(expired.local.state.readsFromStart, true);
  assert.equal(expired.local.state.generation, 1);
});

test('a page that goes nowhere is a failure, not a loop', async () => {
  const replica = await Replica.make();
  await replica.ask('{"changes":[],"cursor":"h-1.0","more":true}');
  assert.match(replica.space.machine.status(replica.now).reason, /does not advance/);
});
