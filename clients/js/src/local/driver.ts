// Carries the requests of all spaces of one connection, and keeps the live link. At rest it has one timer and one
// request, the event stream.
import { parseCursor } from '../core/cursor.js';
import { addJitter } from '../core/replicator.js';
import { Deadline } from '../http/call.js';
import { Cancelled, messageOf, SynclineError, SyncStuck, Unauthorized, Unreachable } from '../http/errors.js';
import { streamEvents } from '../http/stream.js';
import type { SpaceReplica } from '../replica/space_replica.js';
import type { Session } from './session.js';

export const steadyMs = (): number => performance.now();
const random = (): number => Math.floor(Math.random() * 0x1_0000_0000);

const kLinkWaitMinMs = 2000;
const kLinkWaitMaxMs = 60_000;
/** Of one event stream; the others are polled. */
const kWatchedMax = 256;
const kTimerMaxMs = 2_147_483_647;

interface Running {
  replica: SpaceReplica;
  isRunning: boolean;
}

export class Driver {
  readonly #spaces = new Map<string, Running>();
  readonly #end = new AbortController();
  readonly #waiters = new Set<() => void>();
  #link = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onStep` is called after whatever may have changed the status. */
  constructor(readonly session: Session, private readonly onStep: () => void,
    private readonly onError: (reason: unknown, code: string) => void) {}

  async add(replica: SpaceReplica, anew: boolean): Promise<void> {
    const { name } = replica.local;
    if (this.#spaces.has(name)) return;
    await replica.connect(anew, steadyMs());
    if (this.#end.signal.aborted) return replica.machine.disconnect(steadyMs());
    this.#spaces.set(name, { replica, isRunning: false });
    this.#listenAnew();
    this.wake(name);
  }
  close(): void {
    this.#end.abort(new Cancelled('closed', 'closed'));
    this.#link.abort();
    clearTimeout(this.#timer);
    for (const { replica } of this.#spaces.values()) replica.machine.disconnect(steadyMs());
    this.#stepped();
  }
  /** Something waits for the hub. */
  noteWrite(space: string): void {
    const running = this.#spaces.get(space);
    if (running === undefined) return;
    running.replica.machine.noteLocalWrite();
    this.wake(space);
  }
  /** Looks at the hub at once: no window, no back-off. */
  syncNow(): void {
    for (const [name, { replica }] of this.#spaces) {
      replica.machine.syncNow(steadyMs());
      this.wake(name);
    }
  }
  /** There is another key. */
  keyChanged(): void {
    this.#listenAnew();
    this.syncNow();
  }
  wake(space: string): void {
    const running = this.#spaces.get(space);
    if (running === undefined || running.isRunning || this.#end.signal.aborted) return;
    running.isRunning = true;
    this.#takeSteps(running.replica).catch((error: unknown) => this.#report(error)).finally(() => {
      running.isRunning = false;
      this.#schedule();
    });
  }

  /** Resolves when a whole cycle that begins from now on has ended well, for all spaces. */
  async synced(deadline: Deadline): Promise<void> {
    const goals = [...this.#spaces.values()].map(({ replica: { machine, local } }) => ({
      machine, local, cycles: machine.cyclesAfterNext(), failures: machine.failures }));
    this.syncNow();
    for (;;) {
      const stepped = new Promise<void>((resolve) => { this.#waiters.add(resolve); });
      const stuck = goals.find(({ machine, failures }) => machine.failures > failures || machine.isOff);
      if (stuck !== undefined) {
        const { reason, nextTryMs } = stuck.machine.status(steadyMs());
        throw new SyncStuck(reason, nextTryMs === undefined ? undefined : Date.now() + nextTryMs - steadyMs());
      }
      if (goals.every(({ machine, cycles }) => machine.cycles >= cycles)) break;
      await deadline.race(stepped);
    }
    const rejected = goals.reduce((sum, { local }) => sum + local.waitingRefused + local.deadLetters, 0);
    if (rejected > 0) {
      throw new SyncStuck(`the hub rejected ${rejected} change${rejected === 1 ? '' : 's'}: see outbox()`, undefined);
    }
  }

  async #takeSteps(replica: SpaceReplica): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const request = await replica.next(steadyMs(), random(), this.session.hasDocsAsText);
      this.#stepped();
      if (request === undefined) return;
      const { ticket, timeoutMs, ...call } = request;
      const outcome = await this.session.call({ ...call, repeats: false }, { signal, timeoutMs })
        .catch((error: unknown) => this.#asError(error));
      if (signal.aborted) return;
      await replica.finish(ticket, outcome, steadyMs(), random());
      this.#stepped();
    }
  }
  #asError(error: unknown): SynclineError {
    // A key function of the program may throw anything.
    return error instanceof SynclineError ? error
      : new Unreachable('no_key', `the key function failed: ${messageOf(error)}`, { status: 0, cause: error });
  }
  #report(error: unknown): void {
    if (!this.#end.signal.aborted) this.onError(error, 'internal');
  }
  #stepped(): void {
    this.onStep();
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#end.signal.aborted) return;
    let wakeMs = Infinity;
    for (const { replica, isRunning } of this.#spaces.values()) {
      if (!isRunning) wakeMs = Math.min(wakeMs, replica.machine.wakeAtMs() ?? Infinity);
    }
    if (wakeMs === Infinity) return;
    const due = () => {
      for (const [name, { replica }] of this.#spaces) {
        if ((replica.machine.wakeAtMs() ?? Infinity) <= steadyMs()) this.wake(name);
      }
      this.#schedule();
    };
    // Never at once: what is due and makes no step must not spin.
    this.#timer = setTimeout(due, Math.min(Math.max(wakeMs - steadyMs(), 5), kTimerMaxMs));
  }

  #listenAnew(): void {
    this.#link.abort();
    for (const { replica } of this.#spaces.values()) replica.machine.linkDown();
    this.#link = new AbortController();
    void this.#listen(this.#link.signal);
  }
  async #listen(signal: AbortSignal): Promise<void> {
    let waitMs = kLinkWaitMinMs;
    while (!signal.aborted) {
      let wasUp = false;
      try {
        const caller = await this.session.caller();
        const onOpen = () => {
          wasUp = !signal.aborted;
          if (wasUp) this.#setLink(true);
        };
        for await (const notice of streamEvents(caller, [...this.#spaces.keys()].slice(0, kWatchedMax), { signal, onOpen })) {
          const head = parseCursor(notice.cursor);
          const running = this.#spaces.get(notice.space);
          if (head === undefined || running === undefined || signal.aborted) continue;
          running.replica.machine.noteHubHead(head);
          this.wake(notice.space);
        }
      } catch (error) {
        // What keeps the link down keeps the spaces from syncing too, and their status says so: they look once.
        if (error instanceof Unauthorized && !signal.aborted) this.#lookAtRefusal();
      }
      if (signal.aborted) return;
      if (wasUp) {
        this.#setLink(false);
        waitMs = kLinkWaitMinMs;
      }
      const pause = new Deadline({ signal }, kTimerMaxMs);
      await pause.sleep(addJitter(waitMs, random())).catch(() => undefined);  // ended: the loop sees it
      pause.release();
      waitMs = Math.min(waitMs * 2, kLinkWaitMaxMs);
    }
  }
  #setLink(isUp: boolean): void {
    for (const [name, { replica }] of this.#spaces) {
      if (isUp) replica.machine.linkUp(steadyMs());
      else replica.machine.linkLost();
      this.wake(name);
    }
  }
  #lookAtRefusal(): void {
    for (const [name, { replica }] of this.#spaces) {
      if (replica.machine.status(steadyMs()).state === 'reauth') continue;
      replica.machine.syncNow(steadyMs());
      this.wake(name);
    }
  }
}
