// What people are shown of sync.
import type { SyncState, SyncStatus } from '../core/replicator.js';
import type { Emitter } from './emitter.js';

export interface Status {
  state: SyncState;
  /** One line for a person. */
  reason: string;
  /** When that began; milliseconds since 1970, as all times here. */
  since: number;
  nextTry: number | undefined;
  /** End of the last complete cycle of all spaces. */
  synced: number | undefined;
  /** Changes that the hub has not acknowledged, refused ones included. */
  pending: number;
  /** Of these, what the hub has refused. */
  refused: number;
  /** The browser may remove the local copy when it runs out of room. */
  evictable: boolean;
}

const rank = (status: SyncStatus): number => {
  if (status.state === 'waiting') return status.isFailing ? 4 : 2;
  return { off: 0, in_sync: 1, syncing: 3, reauth: 5 }[status.state];
};

/** The status of the space that is worst off, at the times of the wall clock. */
export function combine(spaces: SyncStatus[], steadyMs: number, wallMs: number): Pick<Status,
  'state' | 'reason' | 'since' | 'nextTry' | 'synced'> {
  const wall = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(wallMs + ms - steadyMs));
  const worst = spaces.reduce<SyncStatus | undefined>(
    (found, one) => (found === undefined || rank(one) > rank(found) ? one : found), undefined);
  if (worst === undefined) {
    return { state: 'off', reason: 'not connected to a hub', since: wallMs, nextTry: undefined, synced: undefined };
  }
  const ends = spaces.map((one) => one.syncedMs);
  const synced = ends.includes(undefined) ? undefined : Math.min(...ends as number[]);
  return {
    state: worst.state, reason: worst.reason, since: wall(worst.sinceMs) ?? wallMs, nextTry: wall(worst.nextTryMs),
    synced: wall(synced),
  };
}

const isSame = (a: Status, b: Status, ...names: (keyof Status)[]): boolean =>
  names.every((name) => a[name] === b[name]);

export interface StatusView {
  get(): Status;
  /** Calls back at once, and whenever it changes. Returns the end of it. */
  watch(onChange: (status: Status) => void, options?: { signal?: AbortSignal }): () => void;
}

/** The status as it was last seen, and who wants to hear of it. */
export class StatusBoard implements StatusView {
  #status: Status = { ...combine([], 0, Date.now()), pending: 0, refused: 0, evictable: false };
  readonly #listeners = new Set<(status: Status) => void>();
  #isWanted = false;
  #isRunning = false;
  #isClosed = false;

  /** `measure` reads what the status is now; `onChange` is called before the listeners. */
  constructor(private readonly measure: () => Promise<Status>, private readonly events: Emitter,
    private readonly onChange: (status: Status) => void) {}

  get(): Status {
    return this.#status;
  }
  watch(onChange: (status: Status) => void, options: { signal?: AbortSignal } = {}): () => void {
    const stop = () => { this.#listeners.delete(onChange); };
    if (options.signal?.aborted) return stop;
    this.#listeners.add(onChange);
    options.signal?.addEventListener('abort', stop, { once: true });
    onChange(this.#status);
    this.touch();
    return stop;
  }
  /** Changes come fast, and counting what waits reads the store: one at a time, and the last one counts. */
  touch(): void {
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void (async () => {
      while (this.#isWanted && !this.#isClosed) {
        this.#isWanted = false;
        await this.#refresh().catch((error: unknown) => { if (!this.#isClosed) this.events.report(error); });
      }
      this.#isRunning = false;
    })();
  }
  close(): void {
    this.#isClosed = true;
  }

  async #refresh(): Promise<void> {
    const before = this.#status;
    const status = await this.measure();
    const isOld = isSame(status, before, 'state', 'reason');
    if (isOld) status.since = before.since;
    this.#status = status;
    if (isOld && isSame(status, before, 'pending', 'refused', 'evictable')) return;
    this.onChange(status);
    for (const listener of [...this.#listeners]) this.events.invoke(listener, status);
    if (status.state === 'reauth' && before.state !== 'reauth') this.events.emit('reauth', status);
  }
}
