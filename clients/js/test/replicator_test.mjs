// The cases of src/core/replicator_test.cpp of the hub.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addJitter, kBeginning, parseCursor, Replicator } from '#internals';

class Fixture {
  machine = new Replicator();
  now = 1000;
  head = 0;
  constructor() {
    this.machine.connect(kBeginning, false, this.now);
    this.runCycle();
    this.machine.linkUp(this.now);
    this.runCycle();
    this.now += 10_000;
  }
  at(seq) { return parseCursor(`e.${seq}`); }
  next() { return this.machine.next(this.now, 0); }
  pulled(step) { this.machine.pulled(step.ticket, { cursor: this.at(this.head), more: false }, this.now); }
  pushed(step, refused = 0) {
    this.machine.pushed(step.ticket, { cursor: this.at(this.head), more: false, needsPull: false, refused }, this.now);
  }
  fail(step, kind = 'unreachable') { this.machine.failed(step.ticket, { kind, text: 'no route' }, this.now, 0); }
  status() { return this.machine.status(this.now); }
  /** Takes all steps that there are now, and names them. */
  runCycle() {
    const steps = [];
    for (let step = this.next(); step.kind !== 'none'; step = this.next()) {
      steps.push(step.kind);
      if (step.kind === 'pull') this.pulled(step);
      else this.pushed(step);
    }
    return steps.join(' ');
  }
}

test('the first change is sent at once and a burst takes one cycle per window', () => {
  const f = new Fixture();
  f.machine.noteLocalWrite();
  assert.equal(f.runCycle(), 'push');
  for (let i = 0; i < 100; ++i) {
    f.now += 10;
    f.machine.noteLocalWrite();
    assert.equal(f.runCycle(), '');
  }
  f.now += 1000;
  assert.equal(f.runCycle(), 'push');
});

test('a cycle without changes does not delay the next push', () => {
  const f = new Fixture();
  f.machine.linkDown();
  f.machine.linkUp(f.now);
  assert.equal(f.runCycle(), 'pull push');
  f.machine.noteLocalWrite();
  assert.equal(f.runCycle(), 'push');
});

test('a notice of known changes triggers no pull', () => {
  const f = new Fixture();
  f.head = 5;
  f.machine.noteHubHead(f.at(5));
  assert.equal(f.runCycle(), 'pull push');
  f.now += 5000;
  f.machine.noteHubHead(f.at(4));
  f.machine.noteHubHead(f.at(5));
  assert.equal(f.runCycle(), '');
});

test('polls each interval', () => {
  const f = new Fixture();
  f.now += 299_000;
  assert.equal(f.runCycle(), 'pull push');
  f.now += 299_000;
  assert.equal(f.runCycle(), '');
});

test('waits longer after each failure and reports the reason', () => {
  const f = new Fixture();
  f.machine.linkDown();
  f.machine.syncNow(f.now);
  const waits = [];
  for (let i = 0; i < 8; ++i) {
    f.fail(f.next());
    const status = f.status();
    assert.equal(status.state, 'waiting');
    assert.equal(status.reason, 'no route');
    waits.push(status.nextTryMs - f.now);
    f.now = status.nextTryMs - 1;
    assert.equal(f.next().kind, 'none');
    ++f.now;
  }
  assert.deepEqual(waits, [1600, 3200, 6400, 12_800, 25_600, 38_400, 38_400, 38_400]);  // 20 % less
  f.machine.linkUp(f.now);
  assert.equal(f.runCycle(), 'pull push');
  assert.equal(f.status().state, 'in_sync');
});

test('a step times out and its late result is ignored', () => {
  const f = new Fixture();
  f.machine.noteLocalWrite();
  const lost = f.next();
  f.now += 59_000;
  assert.equal(f.next().kind, 'none');
  f.machine.progress(lost.ticket, f.now, 60_000);
  f.now += 59_000;
  assert.equal(f.next().kind, 'none');
  f.now += 2000;
  assert.equal(f.next().kind, 'none');
  assert.equal(f.status().state, 'waiting');
  f.head = 9;
  f.pushed(lost);
  assert.equal(f.machine.cursor.seq, 0);
});

test('a rejected key is retried once per interval', () => {
  const f = new Fixture();
  f.machine.linkDown();
  f.machine.noteLocalWrite();
  f.fail(f.next(), 'keyRefused');
  assert.equal(f.status().state, 'reauth');
  f.now += 299_000;
  assert.equal(f.next().kind, 'none');
  f.now += 1000;
  assert.equal(f.runCycle(), 'pull push');
});

test('a hub with another history is pushed to before it is pulled from', () => {
  const f = new Fixture();
  f.machine.syncNow(f.now);
  const pull = f.next();
  f.machine.reset(pull.ticket, true, f.now);
  assert.equal(f.runCycle(), 'push pull');
});

test('a head made by another opening is looked at once', () => {
  const f = new Fixture();
  const madeBy = (opening, seq) => parseCursor(`e-${opening}.${seq}`);
  const pulled = (step) => f.machine.pulled(step.ticket, { cursor: madeBy('a', 5), more: false }, f.now);
  const pushed = (step) =>
    f.machine.pushed(step.ticket, { cursor: madeBy('a', 5), more: false, needsPull: false, refused: 0 }, f.now);
  f.machine.connect(madeBy('a', 5), false, f.now);
  f.machine.linkUp(f.now);
  pulled(f.next());
  pushed(f.next());
  f.now += 10_000;
  f.machine.noteHubHead(madeBy('a', 5));
  assert.equal(f.next().kind, 'none');
  f.machine.noteHubHead(madeBy('b', 3));
  const look = f.next();
  assert.equal(look.kind, 'pull', 'the hub may have gone back');
  pulled(look);
  pushed(f.next());
  f.now += 10_000;
  assert.equal(f.next().kind, 'none');
});

test('a head that the hub no longer has is forgotten after one pull', () => {
  const f = new Fixture();
  f.machine.noteHubHead(f.at(9));
  assert.equal(f.runCycle(), 'pull push', 'and that reaches the end at 0');
  f.now += 10_000;
  assert.equal(f.next().kind, 'none');
  assert.equal(f.status().state, 'in_sync');
  f.machine.noteHubHead(f.at(9));
  const pull = f.next();
  f.machine.noteHubHead(f.at(10));
  f.pulled(pull);
  f.pushed(f.next());
  assert.equal(f.next().kind, 'none');
  f.now += 10_000;
  assert.equal(f.next().kind, 'pull', 'the later notice came while the pull was on its way');
});

test('rejected changes are retried later, and then less often', () => {
  const f = new Fixture();
  f.machine.noteLocalWrite();
  f.pushed(f.next(), 1);
  assert.equal(f.next().kind, 'none');
  assert.equal(f.status().state, 'waiting');
  f.now += 2000;
  const again = f.next();
  assert.equal(again.kind, 'push');
  assert.equal(again.withRefused, true);
  f.pushed(again, 1);
  f.now += 3999;
  assert.equal(f.next().kind, 'none');
  ++f.now;
  f.pushed(f.next());
  assert.equal(f.next().kind, 'none');
  assert.equal(f.status().state, 'in_sync');
});

test('does nothing while disconnected', () => {
  const f = new Fixture();
  f.machine.disconnect(f.now);
  f.machine.noteLocalWrite();
  assert.equal(f.next().kind, 'none');
  assert.equal(f.machine.wakeAtMs(), undefined);
  f.machine.connect(f.at(3), false, f.now);
  assert.equal(f.runCycle(), 'pull push');
});

test('the jitter stays within 20 % for every random number', () => {
  for (const random of [0, 1, 799, 800, 801, 2 ** 32 - 1]) {
    const wait = addJitter(2000, random);
    assert.ok(wait >= 1600 && wait <= 2400, `${random}: ${wait}`);
  }
  assert.equal(addJitter(2000, 0), 1600);
  assert.equal(addJitter(2000, 800), 2400);
  assert.equal(addJitter(2000, 801), 1600);
});

test('no sequence of events leaves a step without an end', () => {
  let seed = 7;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31);
  for (let walk = 0; walk < 300; ++walk) {
    const machine = new Replicator();
    let now = 0;
    let step = { kind: 'none', ticket: 0 };
    machine.connect(kBeginning, random() % 2 === 0, now);
    for (let i = 0; i < 100; ++i) {
      const taken = machine.next(now, random());
      if (taken.kind !== 'none') step = taken;
      const cursor = parseCursor(`e.${random() % 9}`);
      const more = random() % 4 === 0;
      const events = [
        () => machine.pulled(step.ticket, { cursor, more }, now),
        () => machine.pushed(step.ticket, { cursor, more, needsPull: random() % 3 === 0, refused: random() % 3 }, now),
        () => machine.failed(step.ticket, { kind: ['unreachable', 'keyRefused', 'local', 'other'][random() % 4],
          text: 'x', retryAfterMs: random() % 5000 }, now, random()),
        () => machine.reset(step.ticket, random() % 2 === 0, now),
        () => machine.noteHubHead(cursor),
        () => machine.noteLocalWrite(),
        () => machine.linkUp(now),
        () => machine.linkDown(),
        () => machine.syncNow(now),
        () => { now += random() % 70_000; },
      ];
      events[random() % events.length]();
      const wake = machine.wakeAtMs();
      assert.ok(wake !== undefined && wake <= now + 300_000, `walk ${walk}: wakes at ${wake}, now is ${now}`);
    }
    // Left alone with a hub that answers, every walk ends in sync.
    for (let i = 0; i < 200 && machine.status(now).state !== 'in_sync'; ++i) {
      now = Math.max(now, machine.wakeAtMs());
      step = machine.next(now, 0);
      const cursor = parseCursor('e.9');
      if (step.kind === 'pull') machine.pulled(step.ticket, { cursor, more: false }, now);
      if (step.kind === 'push') {
        machine.pushed(step.ticket, { cursor, more: false, needsPull: false, refused: 0 }, now);
      }
    }
    assert.equal(machine.status(now).state, 'in_sync', `walk ${walk}`);
  }
});
