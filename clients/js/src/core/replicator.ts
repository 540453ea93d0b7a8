// The replicator of one space, as src/core/replicator of the hub: when to pull, when to push, how long to wait, and why
// the space is not in sync. A state machine: events in, one step at a time out. No I/O, no clock, no random source.
//
// state     what it waits for                                  left by
// off       to be connected                                    connect
// idle      a reason to sync: a write, a notice, the poll      next, once there is one and no window is open
// pulling   the outcome of a pull                              pulled, failed, reset, the step's deadline
// pushing   the outcome of a push                              pushed, failed, reset, the step's deadline
// waiting   the end of the back-off after a failure            time, syncNow, linkUp
// refused   another credential; asks again each interval       time, syncNow, connect
//
// A cycle pulls to the end, pushes until nothing waits, and pulls again if the hub decided otherwise than expected.
// What changes within `windowMs` of a cycle that a change began shares the next one: the first change is not delayed,
// and a storm costs one cycle per window.
//
// Times are milliseconds of a steady clock, so that a wall clock that jumps delays nothing. `random` is an integer of
// 32 bits.
import { kBeginning, knowsThrough, type Cursor } from './cursor.js';

export interface ReplicatorSettings {
  windowMs: number;
  /** Between two polls, for what no notice told of. */
  intervalMs: number;
  backOffMinMs: number;
  backOffMaxMs: number;
  /** A step without any progress for so long has failed. */
  stepTimeoutMs: number;
}

export const kReplicatorDefaults: ReplicatorSettings = {
  windowMs: 2000,
  intervalMs: 300_000,
  backOffMinMs: 2000,
  /** With its jitter of a fifth less than a minute. */
  backOffMaxMs: 48_000,
  stepTimeoutMs: 60_000,
};

/** The ticket names the step; an outcome with another ticket comes too late and is ignored. */
export interface Step {
  kind: 'none' | 'pull' | 'push';
  ticket: number;
  /** Of a push: also offer again what the hub has refused. */
  withRefused: boolean;
}

export interface PullOutcome {
  cursor: Cursor;
  more: boolean;
}

export interface PushOutcome {
  cursor: Cursor;
  more: boolean;
  /** The hub has versions that this device has not. */
  needsPull: boolean;
  /** Refused changes that are to be offered again. */
  refused: number;
}

export interface SyncFailure {
  /**
   * unreachable: no answer, or one that asks to come later. keyRefused: the credential counts no more, or not for this.
   * local: this device cannot store what came. other: the two do not understand each other.
   */
  kind: 'unreachable' | 'keyRefused' | 'local' | 'other';
  text: string;
  /** The hub asks not to come before; milliseconds from now. */
  retryAfterMs?: number;
}

type Machine = 'off' | 'idle' | 'pulling' | 'pushing' | 'waiting' | 'refused';

export type SyncState = 'off' | 'in_sync' | 'syncing' | 'waiting' | 'reauth';

export interface SyncStatus {
  state: SyncState;
  /** One line for a person. */
  reason: string;
  /** The last try failed; `reason` says how. */
  isFailing: boolean;
  sinceMs: number | undefined;
  nextTryMs: number | undefined;
  /** End of the last complete cycle. */
  syncedMs: number | undefined;
}

/** What was refused is offered again up to so many times the shortest back-off later. */
const kRefusedGrowthMax = 4;
const kLinkedGrowthMax = 8;
const kNoStep: Step = { kind: 'none', ticket: 0, withRefused: false };

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** `waitMs`, up to 20 % more or less, as `random` says. */
export function addJitter(waitMs: number, random: number): number {
  const width = Math.trunc((waitMs * 2) / 5);
  return waitMs - Math.trunc(width / 2) + (random % (width + 1));
}

export class Replicator {
  readonly #settings: ReplicatorSettings;
  #state: Machine = 'off';
  #sinceMs: number | undefined;  // of the state that status() shows
  #cursor = kBeginning;
  #hubHead: Cursor | undefined;
  #linkIsUp = false;
  /** #hubHead was told before the step began. */
  #stepKnowsHead = false;

  // Reasons for the next cycle.
  #isWanted = false;
  #isUrgent = false;
  #hasLocalWrites = false;
  #nextPollMs = 0;
  #windowEndMs = 0;
  #notBeforeMs = 0;

  // The cycle in progress.
  #inCycle = false;
  #pullLeft = false;
  #pushLeft = false;
  #pushEverythingFirst = false;
  #offersRefused = false;
  #ticket = 0;
  #deadlineMs = 0;

  // After failures.
  #backOffMs = 0;
  #failureText = '';
  #failingSinceMs = 0;
  #refused = 0;
  #stepOffersRefused = false;
  #refusedBackOffMs = 0;
  #retryRefusedMs = 0;

  #syncedMs: number | undefined;
  #cycles = 0;
  #failures = 0;

  constructor(settings: Partial<ReplicatorSettings> = {}) {
    this.#settings = { ...kReplicatorDefaults, ...settings };
  }

  // Events.

  /** There is a hub to sync with. `pushEverythingFirst`: it has to be offered everything before it is pulled from. */
  connect(cursor: Cursor, pushEverythingFirst: boolean, nowMs: number): void {
    this.#cursor = cursor;
    this.#hubHead = undefined;
    this.#pushEverythingFirst = pushEverythingFirst;
    this.#linkIsUp = this.#inCycle = false;
    this.#refused = 0;
    this.#syncedMs = undefined;
    this.#isWanted = this.#isUrgent = true;
    this.#backOffMs = this.#refusedBackOffMs = 0;
    this.#notBeforeMs = this.#windowEndMs = this.#retryRefusedMs = nowMs;
    this.#nextPollMs = nowMs + this.#settings.intervalMs;
    this.#failureText = '';
    ++this.#ticket;
    this.#enter('idle', nowMs);
  }
  disconnect(nowMs: number): void {
    this.#inCycle = false;
    ++this.#ticket;
    this.#enter('off', nowMs);
  }
  noteLocalWrite(): void {
    this.#hasLocalWrites = true;
  }
  /** The hub told where its feed ends. */
  noteHubHead(head: Cursor): void {
    // A change that this device has heard of was made by another opening of the store: the hub may have gone back.
    const cursor = this.#cursor;
    if (head.epoch === cursor.epoch && head.incarnation !== cursor.incarnation && head.seq <= knowsThrough(cursor)) {
      this.#isWanted = true;
    }
    // Notices may come out of order; of one history the later counts.
    if (this.#hubHead?.epoch === head.epoch && this.#hubHead.seq >= head.seq) return;
    this.#hubHead = head;
    this.#stepKnowsHead = false;
  }
  linkUp(nowMs: number): void {
    this.#linkIsUp = true;
    this.#isWanted = true;  // what was said before the link stood is unknown
    this.#backOffMs = 0;
    // The hub is there, and let this device in.
    if (this.#state === 'waiting' || this.#state === 'refused') this.#notBeforeMs = nowMs;
  }
  linkDown(): void {
    this.#linkIsUp = false;
  }
  /** The hub, or something on the way, has ended the link: what the reason is shows a look at the hub. */
  linkLost(): void {
    this.#linkIsUp = false;
    this.#isWanted = true;
  }
  /** Somebody waits for a cycle: no window, no back-off. */
  syncNow(nowMs: number): void {
    this.#isWanted = this.#isUrgent = true;
    this.#notBeforeMs = nowMs;
    this.#retryRefusedMs = nowMs;
  }
  /** The step goes on, and has so long again. */
  progress(ticket: number, nowMs: number, timeoutMs: number): void {
    if (this.awaits(ticket)) this.#deadlineMs = nowMs + timeoutMs;
  }
  pulled(ticket: number, outcome: PullOutcome, nowMs: number): void {
    if (!this.awaits(ticket) || this.#state !== 'pulling') return;
    this.#cursor = outcome.cursor;
    this.#pullLeft = outcome.more;
    // The hub had told of a later end before it was asked: that was in a history that it has no more.
    if (!outcome.more && this.#stepKnowsHead && this.#isBehind()) this.#hubHead = undefined;
    this.#enter('idle', nowMs);
  }
  pushed(ticket: number, outcome: PushOutcome, nowMs: number): void {
    if (!this.awaits(ticket) || this.#state !== 'pushing') return;
    this.#cursor = outcome.cursor;
    this.#pushLeft = outcome.more;
    if (outcome.needsPull) this.#pullLeft = true;
    if (!outcome.more && this.#pushEverythingFirst) {
      this.#pushEverythingFirst = false;
      this.#pullLeft = true;
    }
    const hasNew = outcome.refused > this.#refused;
    this.#refused = outcome.refused;
    if (hasNew || this.#stepOffersRefused) {
      const shortest = this.#settings.backOffMinMs;
      this.#refusedBackOffMs =
        hasNew ? shortest : clamp(this.#refusedBackOffMs * 2, shortest, shortest * kRefusedGrowthMax);
      this.#retryRefusedMs = nowMs + this.#refusedBackOffMs;
    }
    this.#enter('idle', nowMs);
  }
  /**
   * The hub has another history: everything is offered again, and pulled from the beginning; `pushEverythingFirst`: in
   * this order.
   */
  reset(ticket: number, pushEverythingFirst: boolean, nowMs: number): void {
    if (!this.awaits(ticket)) return;
    this.#cursor = kBeginning;
    this.#hubHead = undefined;
    this.#pullLeft = this.#pushLeft = true;
    this.#pushEverythingFirst = pushEverythingFirst;
    this.#enter('idle', nowMs);
  }
  /** `random` spreads the next tries of many devices. */
  failed(ticket: number, failure: SyncFailure, nowMs: number, random: number): void {
    if (!this.awaits(ticket)) return;
    ++this.#ticket;
    ++this.#failures;
    this.#inCycle = false;
    this.#isWanted = true;
    if (this.#failureText === '') this.#failingSinceMs = nowMs;
    this.#failureText = failure.text;
    const { backOffMinMs, backOffMaxMs, intervalMs } = this.#settings;
    if (failure.kind === 'keyRefused') {
      // The hub ends the link of a key that counts no more: while it stands, the answer is an old one.
      this.#notBeforeMs = nowMs + (this.#linkIsUp ? backOffMinMs * kLinkedGrowthMax : intervalMs);
      this.#enter('refused', nowMs);
      return;
    }
    // While the link stands the hub is there: what failed is worth another try sooner.
    const longest = this.#linkIsUp ? Math.min(backOffMaxMs, backOffMinMs * kLinkedGrowthMax) : backOffMaxMs;
    this.#backOffMs = clamp(this.#backOffMs * 2, backOffMinMs, longest);
    this.#notBeforeMs = nowMs + Math.max(addJitter(this.#backOffMs, random), failure.retryAfterMs ?? 0);
    this.#enter('waiting', nowMs);
  }

  // Actions.

  /** The step to take now. Also notices when one has taken too long. */
  next(nowMs: number, random: number): Step {
    if (this.#state === 'off') return kNoStep;
    if (this.#stateIsStep()) {
      if (nowMs < this.#deadlineMs) return kNoStep;
      this.failed(this.#ticket, { kind: 'unreachable', text: 'no answer in time' }, nowMs, random);
    }
    if (!this.#inCycle) {
      const windowIsOpen = nowMs < this.#windowEndMs && !this.#isUrgent;
      if (nowMs < this.#notBeforeMs || windowIsOpen || !this.#hasReason(nowMs)) return kNoStep;
      this.#beginCycle(nowMs);
    }
    if (this.#pullLeft && !this.#pushEverythingFirst) return this.#beginStep('pull', nowMs);
    if (this.#pushLeft) return this.#beginStep('push', nowMs);
    this.#endCycle(nowMs);
    return kNoStep;
  }
  /** True while the step's outcome is awaited. */
  awaits(ticket: number): boolean {
    return this.#stateIsStep() && ticket === this.#ticket;
  }
  /** When next() may have something to do without another event. */
  wakeAtMs(): number | undefined {
    if (this.#state === 'off') return undefined;
    if (this.#stateIsStep()) return this.#deadlineMs;
    if (this.#inCycle) return 0;
    const hasEvent = this.#isWanted || this.#hasLocalWrites || this.#isBehind();
    let reasonMs = hasEvent ? 0 : this.#nextPollMs;
    if (this.#refused > 0) reasonMs = Math.min(reasonMs, this.#retryRefusedMs);
    return Math.max(reasonMs, this.#notBeforeMs, this.#isUrgent ? 0 : this.#windowEndMs);
  }
  get cursor(): Cursor {
    return this.#cursor;
  }
  /** Whole cycles that have ended well; one that is asked for now is over when there are cyclesAfterNext(). */
  get cycles(): number {
    return this.#cycles;
  }
  cyclesAfterNext(): number {
    return this.#cycles + (this.#inCycle ? 2 : 1);
  }
  get isOff(): boolean {
    return this.#state === 'off';
  }
  /** Cycles that ended in a failure. */
  get failures(): number {
    return this.#failures;
  }

  status(nowMs: number): SyncStatus {
    const isFailing = this.#failureText !== '';
    const status: SyncStatus = {
      state: 'off',
      reason: 'not connected to a hub',
      isFailing,
      sinceMs: isFailing ? this.#failingSinceMs : this.#sinceMs,
      nextTryMs: undefined,
      syncedMs: this.#syncedMs,
    };
    if (this.#state === 'off') return status;
    if (!this.#stateIsStep()) status.nextTryMs = Math.max(nowMs, this.wakeAtMs() ?? nowMs);
    switch (this.#state) {
      case 'pulling':
      case 'pushing':
        status.state = 'syncing';
        status.reason = this.#state === 'pulling' ? 'fetching changes from the hub' : 'sending changes to the hub';
        if (isFailing) status.reason += `; the last attempt failed: ${this.#failureText}`;
        if (this.#refused > 0) status.reason += `; ${this.#rejectionText()}`;
        return status;
      case 'waiting':
        status.state = 'waiting';
        status.reason = this.#failureText;
        return status;
      case 'refused':
        status.state = 'reauth';
        status.reason =
          `the hub does not accept the key: ${this.#failureText}; log in again, queued changes are kept`;
        return status;
    }
    status.state = 'waiting';
    if (this.#inCycle || this.#hasLocalWrites || this.#isBehind()) {
      status.reason = 'changes are queued for the next cycle';
      if (this.#refused > 0) status.reason += `; ${this.#rejectionText()}`;
    } else if (this.#syncedMs === undefined || this.#pushEverythingFirst) {
      status.reason = 'about to start the first cycle';
    } else if (this.#refused > 0) {
      status.reason = this.#rejectionText();
    } else {
      status.state = 'in_sync';
      status.reason = this.#linkIsUp ? 'in sync' : 'in sync as of the last poll; the live link is down';
    }
    return status;
  }

  #stateIsStep(): boolean {
    return this.#state === 'pulling' || this.#state === 'pushing';
  }
  #isBehind(): boolean {
    const head = this.#hubHead;
    return head !== undefined && (head.epoch !== this.#cursor.epoch || head.seq > this.#cursor.seq);
  }
  #hasReason(nowMs: number): boolean {
    const retriesRefused = this.#refused > 0 && nowMs >= this.#retryRefusedMs;
    return this.#isWanted || this.#hasLocalWrites || this.#isBehind() || retriesRefused || nowMs >= this.#nextPollMs;
  }
  /** What the status says of refused changes, in every state but a failed one. */
  #rejectionText(): string {
    return this.#refused === 1
      ? 'the hub rejected 1 change; the device will send it again'
      : `the hub rejected ${this.#refused} changes; the device will send them again`;
  }
  #beginCycle(nowMs: number): void {
    this.#inCycle = true;
    // Without a link nobody has told what the hub has.
    this.#pullLeft = this.#isWanted || this.#isBehind() || !this.#linkIsUp || nowMs >= this.#nextPollMs;
    this.#pushLeft = true;
    this.#offersRefused = nowMs >= this.#retryRefusedMs;
    // A mere look at the hub delays no change.
    if (this.#hasLocalWrites || this.#isBehind()) this.#windowEndMs = nowMs + this.#settings.windowMs;
    this.#isWanted = this.#isUrgent = this.#hasLocalWrites = false;
    this.#nextPollMs = nowMs + this.#settings.intervalMs;
  }
  #endCycle(nowMs: number): void {
    this.#inCycle = false;
    this.#backOffMs = 0;
    this.#failureText = '';
    this.#syncedMs = nowMs;
    ++this.#cycles;
    this.#enter('idle', nowMs);
  }
  #beginStep(kind: 'pull' | 'push', nowMs: number): Step {
    this.#enter(kind === 'pull' ? 'pulling' : 'pushing', nowMs);
    this.#deadlineMs = nowMs + this.#settings.stepTimeoutMs;
    const withRefused = kind === 'push' && this.#offersRefused;
    this.#stepOffersRefused = withRefused;
    this.#stepKnowsHead = true;
    if (withRefused) this.#offersRefused = false;
    return { kind, ticket: ++this.#ticket, withRefused };
  }
  #enter(state: Machine, nowMs: number): void {
    // A cycle of many steps is one thing to whoever asks since when.
    const wasStep = this.#stateIsStep();
    this.#state = state;
    if (!(wasStep && this.#stateIsStep())) this.#sinceMs = nowMs;
  }
}
