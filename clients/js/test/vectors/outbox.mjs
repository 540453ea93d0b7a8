// Replays walks of a device that exchanges a space with a hub: the same requests, byte for byte, and the same records,
// positions and times.
import assert from 'node:assert/strict';
import {
  errorOf, Indexes, isWaiting, knownOf, LocalSpace, MemoryStore, parseCursor, refusedRow, SpaceReplica, Timeout,
  Unreachable,
} from '#internals';
import { Expected, number, text } from './read.mjs';

const kSpace = 'notes';
const kItems = 'items';

class Device {
  #store = new MemoryStore(() => new Error('closed'));
  #indexes = new Indexes();
  #lost = 0;

  constructor(walk) {
    this.limits = { opsMax: walk.ops_max, bytesMax: walk.bytes_max, pageMax: walk.page_max };
    this.clockAheadMs = number(walk.clock_ahead_ms);
  }

  async take(event) {
    this.now = number(event.now);
    await this[event.call](event);
  }
  async start() {
    this.local = new LocalSpace(this.#store, kSpace, this.#indexes, this.limits, undefined, () => { ++this.#lost; },
      () => this.clockAheadMs + this.now);
    await this.local.load();
    this.replica = new SpaceReplica(this.local, this.limits);
    this.machine = this.replica.machine;
    await this.replica.connect(false, this.now);
  }
  async edit({ id, doc, where }) {
    assert.ok(await this.local.edit(kItems, id, () => doc), where);
    this.machine.noteLocalWrite();
  }
  async next({ random, request, where }) {
    const made = await this.replica.next(this.now, random, false);
    assert.deepEqual(made && {
      ticket: text(made.ticket), method: made.method, target: made.path, body: made.body ?? '',
      timeout_ms: text(made.timeoutMs),
    }, request ?? undefined, where);
  }
  async finish(event) {
    await this.replica.finish(number(event.ticket), outcomeOf(event), this.now, event.random);
  }
  note_hub_head({ head }) { this.machine.noteHubHead(parseCursor(head)); }
  link_up() { this.machine.linkUp(this.now); }
  link_lost() { this.machine.linkLost(); }
  sync_now() { this.machine.syncNow(this.now); }

  async observe() {
    const { local, machine } = this;
    const { state } = local;
    const status = machine.status(this.now);
    const seen = {
      state: status.state,
      is_failing: status.isFailing,
      wake_at: text(machine.wakeAtMs()),
      since: text(status.sinceMs),
      cycles: text(machine.cycles),
      waiting_refused: text(local.waitingRefused),
      dead_letters: text(local.deadLetters),
      conflicts: text(this.#lost),
      everything_first: local.pushEverythingFirst,
      generation: text(state.generation),
      history: state.epoch,
      cursor: state.cursor.text,
      known: state.known.text,
      from_start: state.readsFromStart,
      missed_in: state.missedIn,
    };
    await this.#store.read(async (tx) => {
      for (const row of await tx.scan(kSpace, kItems, '', 1000)) {
        const { at, deleted, doc } = row;
        seen[`record ${row.id}`] = {
          at, deleted, doc, hub: text(knownOf(state, row)?.hub), waits: await isWaiting(tx, state, row),
        };
      }
      for (const note of await tx.notes(kSpace)) {
        if (await refusedRow(tx, note) === undefined) continue;
        seen[`refused ${note.id}`] = { offers: text(note.offers), code: note.code, since: note.since };
      }
    });
    return seen;
  }
}

/** As the driver hands it on. */
function outcomeOf({ failure, status, retry_after: retryAfter, body }) {
  if (failure === 'timed_out') return new Timeout('timeout', 'no answer came in time');
  if (failure !== undefined) return new Unreachable('unreachable', 'no answer from the hub');
  if (status === 200) return body;
  return errorOf(status, new Headers(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }), body);
}

export async function replayOutbox(walk) {
  const device = new Device(walk);
  const expected = new Expected();
  for (const event of walk.events) {
    await device.take(event);
    expected.check(await device.observe(), event.then, event.where);
  }
}
