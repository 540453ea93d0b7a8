// Replays walks of the replicator.
import assert from 'node:assert/strict';
import { parseCursor, Replicator } from '#internals';
import { Expected, number, text } from './read.mjs';

const kFailures = { unreachable: 'unreachable', key_refused: 'keyRefused', local: 'local', other: 'other' };

const kCalls = {
  connect: (machine, event, now) => machine.connect(parseCursor(event.cursor), event.push_everything_first, now),
  disconnect: (machine, _, now) => machine.disconnect(now),
  note_local_write: (machine) => machine.noteLocalWrite(),
  note_hub_head: (machine, event) => machine.noteHubHead(parseCursor(event.head)),
  link_up: (machine, _, now) => machine.linkUp(now),
  link_down: (machine) => machine.linkDown(),
  link_lost: (machine) => machine.linkLost(),
  sync_now: (machine, _, now) => machine.syncNow(now),
  progress: (machine, event, now) => machine.progress(number(event.ticket), now, number(event.timeout_ms)),
  pulled: (machine, event, now) =>
    machine.pulled(number(event.ticket), { cursor: parseCursor(event.cursor), more: event.more }, now),
  pushed: (machine, event, now) => machine.pushed(number(event.ticket), {
    cursor: parseCursor(event.cursor), more: event.more, needsPull: event.needs_pull, refused: number(event.refused),
  }, now),
  reset: (machine, event, now) => machine.reset(number(event.ticket), event.push_everything_first, now),
  failed: (machine, event, now) => machine.failed(number(event.ticket), {
    kind: kFailures[event.failure], text: event.text, retryAfterMs: number(event.retry_after_ms),
  }, now, event.random),
  next(machine, event, now) {
    const step = machine.next(now, event.random);
    const { kind, ticket, withRefused } = step;
    const made = kind === 'none' ? { step: kind } : { step: kind, ticket: text(ticket), with_refused: withRefused };
    const { step: wanted, ticket: wantedTicket, with_refused: wantedRefused } = event;
    assert.deepEqual(made, wanted === 'none' ? { step: wanted }
      : { step: wanted, ticket: wantedTicket, with_refused: wantedRefused }, event.where);
  },
};

function observe(machine, now) {
  const status = machine.status(now);
  return {
    state: status.state,
    reason: status.reason,
    is_failing: status.isFailing,
    since: text(status.sinceMs),
    next_try: text(status.nextTryMs),
    synced: text(status.syncedMs),
    wake_at: text(machine.wakeAtMs()),
    cursor: machine.cursor.text,
    cycles: text(machine.cycles),
    cycles_after_next: text(machine.cyclesAfterNext()),
    failures: text(machine.failures),
  };
}

/** A walk that names none has the default ones. */
const settingsOf = ({ settings }) => settings && {
  windowMs: number(settings.window_ms),
  intervalMs: number(settings.interval_ms),
  backOffMinMs: number(settings.back_off_min_ms),
  backOffMaxMs: number(settings.back_off_max_ms),
  stepTimeoutMs: number(settings.step_timeout_ms),
};

export function replayReplicator(walk, settings = settingsOf(walk)) {
  const machine = new Replicator(settings);
  const expected = new Expected();
  for (const event of walk.events) {
    const now = number(event.now);
    kCalls[event.call](machine, event, now);
    expected.check(observe(machine, now), event.then, event.where);
  }
}
