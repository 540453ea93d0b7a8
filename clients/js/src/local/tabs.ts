// Tabs that share one copy. All read and write it; one of them, the leader, talks to the hub. Who: a Web Lock that is
// held as long as the tab lives, never around a call. A BroadcastChannel carries hints; the store is the truth, and its
// positions move by compare-and-set, so that two leaders are only a waste.
import { Deadline, randomId } from '../http/call.js';
import { SyncStuck } from '../http/errors.js';
import type { Why } from '../replica/local_space.js';
import type { Status } from './status.js';

export type Message =
  | { kind: 'commit'; space: string; collections: string[]; why: Why }
  | { kind: 'alive' }
  | { kind: 'hello' }
  | { kind: 'status'; status: Status }
  | { kind: 'sync' }
  | { kind: 'ask'; id: string }
  | { kind: 'answer'; id: string; error?: { reason: string; nextTry: number | undefined } }
  | { kind: 'key'; token: string };

type Answer = Extract<Message, { kind: 'answer' }>;

const kHeartbeatMs = 10_000;
const kSilenceMs = 30_000;
/** A leader that ends answers nothing: its successor is asked again. */
const kAskAgainMs = 1000;

export interface TabEvents {
  onLead(isLeader: boolean): void;
  /** All but those that Tabs answers itself. */
  onMessage(message: Message): void;
}

export class Tabs {
  readonly #channel: BroadcastChannel | undefined;
  readonly #end = new AbortController();
  #holdsLock = false;
  #isLeader = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #asked = new Map<string, (answer: Answer) => void>();

  /** `name` undefined: nobody shares the copy. */
  constructor(name: string | undefined, private readonly events: TabEvents) {
    if (name !== undefined && typeof BroadcastChannel === 'function') {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = (event: MessageEvent<Message>) => this.#hear(event.data);
    }
    // Secure contexts only; without, every tab syncs.
    const locks = name === undefined ? undefined : globalThis.navigator?.locks;
    if (locks === undefined) {
      this.#holdsLock = true;
      queueMicrotask(() => this.#lead(true));
      return;
    }
    this.#listen();
    const held = locks.request(name as string, { signal: this.#end.signal }, () => {
      if (this.#end.signal.aborted) return undefined;
      this.#holdsLock = true;
      this.#lead(true);
      return new Promise<void>((resolve) => this.#end.signal.addEventListener('abort', () => resolve()));
    });
    held.catch(() => undefined);  // close() ended the wait for the lock
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }
  post(message: Message): void {
    if (!this.#end.signal.aborted) this.#channel?.postMessage(message);
  }
  /** Has the leader sync. False if this tab leads before an answer came. Throws SyncStuck if the leader cannot sync. */
  async ask(deadline: Deadline, leadsNow: () => boolean): Promise<boolean> {
    const id = randomId();
    const answered = new Promise<Answer>((resolve) => this.#asked.set(id, resolve));
    try {
      while (!leadsNow()) {
        this.post({ kind: 'ask', id });
        const pause = new Deadline({}, kAskAgainMs);
        const answer = await deadline.race(pause.race(answered).catch(() => undefined)).finally(() => pause.release());
        if (answer === undefined) continue;
        if (answer.error !== undefined) throw new SyncStuck(answer.error.reason, answer.error.nextTry);
        return true;
      }
      return false;
    } finally {
      this.#asked.delete(id);
    }
  }
  /** Tells the tab that asked how `work` ended. */
  async answer(id: string, work: Promise<void>): Promise<void> {
    try {
      await work;
      this.post({ kind: 'answer', id });
    } catch (error) {
      const { reason, nextTry } = error instanceof SyncStuck ? error : new SyncStuck(String(error), undefined);
      this.post({ kind: 'answer', id, error: { reason, nextTry } });
    }
  }
  close(): void {
    this.#end.abort();
    clearTimeout(this.#timer);
    this.#channel?.close();
    this.#isLeader = false;
  }

  #hear(message: Message): void {
    if (this.#end.signal.aborted) return;
    if (message.kind === 'answer') return this.#asked.get(message.id)?.(message);
    if (message.kind !== 'alive') return this.events.onMessage(message);
    if (this.#holdsLock) return;
    this.#lead(false);  // it was only slow
    this.#listen();
  }
  /** A leader that is frozen loses its place: after a silence this tab syncs too. */
  #listen(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lead(true), kSilenceMs);
  }
  #beat(): void {
    this.post({ kind: 'alive' });
    this.#timer = setTimeout(() => this.#beat(), kHeartbeatMs);
  }
  #lead(isLeader: boolean): void {
    if (isLeader === this.#isLeader || this.#end.signal.aborted) return;
    this.#isLeader = isLeader;
    clearTimeout(this.#timer);
    // One that only acts for the leader sends no sign: the leader would not be missed.
    if (isLeader && this.#holdsLock && this.#channel !== undefined) this.#beat();
    this.events.onLead(isLeader);
  }
}
