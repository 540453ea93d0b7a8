// The local copy as a program sees it. Reads and writes go to the store of this tab; the network is never in the way.
import { kReplicatorDefaults } from '../core/replicator.js';
import { Deadline, randomId, type Caller, type CallOptions, type Key } from '../http/call.js';
import { AccountMismatch, Refused, SynclineError, SyncStuck } from '../http/errors.js';
import type { Doc, HubConflict } from '../http/types.js';
import { LocalSpace, type Why } from '../replica/local_space.js';
import { countWaiting, kLimits, kOffersMax, listWaiting, type Limits } from '../replica/outbox.js';
import { SpaceReplica } from '../replica/space_replica.js';
import { readState } from '../replica/space_state.js';
import { spacePath } from '../replica/wire.js';
import { deleteDatabase, IndexedDbStore } from '../store/indexeddb.js';
import { Indexes, type IndexDeclaration } from '../store/indexes.js';
import type { Note, Row, Store } from '../store/store.js';
import { Collection, Watchers, type SpaceParts } from './collection.js';
import { Driver, steadyMs } from './driver.js';
import { Session } from './session.js';
import { combine, type Status } from './status.js';
import { Tabs, type Message } from './tabs.js';

export interface SyncOptions {
  /** Changes of one push, and their bytes. */
  batchOps?: number;
  batchBytes?: number;
  /** Changes within so long of a cycle share the next one. */
  windowMs?: number;
  /** Between two polls, for what no notice told of. */
  intervalMs?: number;
}

export interface OpenOptions {
  /** Of the local copy: one database per account and name. */
  name: string;
  /** Tells copies of several people on one device apart. */
  account?: string;
  url?: string;
  key?: Key;
  spaces?: string[];
  /** `indexeddb` stays; `memory` is gone with the program. */
  store?: 'indexeddb' | 'memory';
  indexes?: IndexDeclaration;
  sync?: SyncOptions;
  fetch?: typeof fetch;
}

export interface Waiting {
  space: string;
  collection: string;
  id: string;
  /** Undefined for a deletion. */
  doc: Doc | undefined;
  /** How often the hub has refused it; it is not offered again by itself after 5. */
  offers: number;
  isDead: boolean;
  refusal: { code: string; detail: string; since: string } | undefined;
  /** Offers a refused change as if it were new. */
  retry(): Promise<void>;
  /** Gives the change up: the record is again what the hub has. False if it was changed or sent meanwhile. */
  discard(): Promise<boolean>;
}

export interface Conflict<T = Doc> {
  id: string | number;
  collection: string;
  recordId: string;
  rule: string;
  at: string;
  winner: T | undefined;
  loser: T | undefined;
  /** Makes the losing version a new one. */
  restore(options?: CallOptions): Promise<void>;
  dismiss(options?: CallOptions): Promise<void>;
}

export interface Events {
  /** The hub does not accept the key any more. The queue is kept. */
  reauth: Status;
  /** What no call waits for. */
  error: SynclineError;
  /** An edit of this device lost to one whose author had not seen it; the hub keeps it. */
  conflict: { space: string; collection: string; id: string };
  /** The copy was removed, here or in another tab. */
  closed: undefined;
}

interface Identity {
  account?: string;
  url?: string;
}

const kIdentity = 'identity';
const kCallMs = 60_000;
const kErrorEachMs = 60_000;

const closed = (): SynclineError => new SynclineError('closed', 'the local copy is closed');

const nameOf = ({ account, name }: OpenOptions): string =>
  `syncline/${account === undefined ? '' : `${encodeURIComponent(account)}/`}${encodeURIComponent(name)}`;

/** Opens the local copy. Works with no network, and with no hub yet. */
export async function open(options: OpenOptions): Promise<Database> {
  const kind = options.store ?? 'indexeddb';
  if (kind === 'indexeddb' && typeof indexedDB === 'undefined') {
    throw new SynclineError('no_store', "no IndexedDB here: choose store: 'memory'");
  }
  const isShared = kind === 'indexeddb';
  // Pages of browsers do not load the other one.
  const store = isShared ? await IndexedDbStore.open(nameOf(options))
    : new (await import('../store/memory.js')).MemoryStore(closed);
  const database = new Database(store, options, isShared ? nameOf(options) : undefined);
  try {
    await database.start();
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

export class Space {
  constructor(private readonly database: Database, private readonly parts: SpaceParts) {}

  get name(): string {
    return this.parts.local.name;
  }
  collection<T extends object = Doc>(name: string): Collection<T> {
    return new Collection<T>(name, this.parts);
  }
  /** What the hub keeps of edits that lost; asks the hub. */
  async conflicts<T = Doc>(options: CallOptions = {}): Promise<Conflict<T>[]> {
    const path = `${spacePath(this.name)}/conflicts`;
    const resolve = async (id: string | number, action: 'restore' | 'dismiss', options?: CallOptions) => {
      const caller = await this.database.caller();
      const body = JSON.stringify({ action });
      await caller.call({ method: 'POST', path: `${path}/${encodeURIComponent(id)}`, body }, options);
      this.database.syncSoon();
    };
    const caller = await this.database.caller();
    const { conflicts } = await caller.json<{ conflicts: HubConflict<T>[] }>({ method: 'GET', path }, options);
    return conflicts.map((one): Conflict<T> => ({
      id: one.id,
      collection: one.collection,
      recordId: one.record_id,
      rule: one.rule,
      at: one.at,
      winner: one.winner.doc,
      loser: one.loser.doc,
      restore: (options) => resolve(one.id, 'restore', options),
      dismiss: (options) => resolve(one.id, 'dismiss', options),
    }));
  }
}

export class Database {
  readonly #store: Store;
  readonly #options: OpenOptions;
  readonly #sharedName: string | undefined;
  readonly #indexes: Indexes;
  readonly #limits: Limits;
  readonly #watchers = new Watchers((error) => this.#report(error));
  readonly #spaces = new Map<string, SpaceParts>();
  readonly #replicas = new Map<string, SpaceReplica>();
  readonly #listeners: { [Name in keyof Events]: Set<(event: Events[Name]) => void> } = {
    reauth: new Set(), error: new Set(), conflict: new Set(), closed: new Set(),
  };
  readonly #statusListeners = new Set<(status: Status) => void>();
  readonly #asked = new Map<string, (answer: Extract<Message, { kind: 'answer' }>) => void>();
  readonly #shown = new Map<string, number>();
  #unwatchPage = () => undefined as void;
  #tabs!: Tabs;
  #session: Session | undefined;
  #driver: Driver | undefined;
  #isClosed = false;
  #turn: Promise<void> = Promise.resolve();
  #evictable = false;
  #led: Status | undefined;
  #status: Status = {
    state: 'off', reason: 'not connected to a hub', since: Date.now(), nextTry: undefined, synced: undefined,
    pending: 0, refused: 0, evictable: false,
  };
  #statusIsWanted = false;
  #statusIsRunning = false;

  constructor(store: Store, options: OpenOptions, sharedName: string | undefined) {
    this.#store = store;
    this.#options = options;
    this.#sharedName = sharedName;
    this.#indexes = new Indexes(options.indexes);
    const { batchOps, batchBytes } = options.sync ?? {};
    this.#limits = { ...kLimits, opsMax: batchOps ?? kLimits.opsMax, bytesMax: batchBytes ?? kLimits.bytesMax };
    store.onLost = () => this.#lost();
  }

  async start(): Promise<void> {
    const { spaces = [], url, key } = this.#options;
    for (const name of spaces) await this.#open(name).ready;
    if (this.#sharedName !== undefined) {
      // Some browsers ask the person: nothing waits for that.
      this.#evictable = true;
      globalThis.navigator?.storage?.persist?.().then((isKept) => {
        this.#evictable = !isKept;
        this.#touchStatus();
      }, (error: unknown) => this.#report(error));
    }
    this.#tabs = new Tabs(this.#sharedName, {
      onLead: (isLeader) => this.#lead(isLeader).catch((error: unknown) => this.#report(error)),
      onMessage: (message) => this.#hear(message),
    });
    this.#tabs.post({ kind: 'hello' });
    if (url !== undefined) await this.connect(url, key ?? '');
    this.#watchPage();
  }

  /** One of `spaces`, or another one, which is kept in sync from now on. */
  space(name: string): Space {
    this.#check();
    return new Space(this, this.#open(name));
  }

  /** From now on with this hub. Offers everything that was written before, and what another hub had. */
  async connect(url: string, key: Key): Promise<void> {
    this.#check();
    this.#session?.close();
    this.#session = new Session(url, key, (account) => this.#admit(account, url), this.#options.fetch);
    await this.#restart();
  }
  /**
   * Another key for the same account, after `reauth`. Throws AccountMismatch for a key of another account, and sends
   * nothing with it. If the hub cannot be reached now, the key is checked before its first use.
   */
  async setKey(key: Key, options: CallOptions = {}): Promise<void> {
    this.#check();
    if (this.#session === undefined) throw new SyncStuck('not connected to a hub', undefined);
    try {
      await this.#session.setKey(key, options);
    } catch (error) {
      if (!(error instanceof SynclineError) || error.retry !== 'later') throw error;
      this.#session.setKeyUnchecked(key);
    }
    if (typeof key === 'string') this.#tabs.post({ kind: 'key', token: key });
    this.#driver?.keyChanged();
  }
  /** Resolves when the hub has everything that was written before the call, and this copy what the hub had. */
  async synced(options: CallOptions = {}): Promise<void> {
    this.#check();
    const deadline = new Deadline(options, options.timeoutMs ?? kCallMs);
    try {
      // The leader may change while somebody waits for it.
      for (;;) {
        await deadline.race(this.#turn);
        const driver = this.#driver;
        if (driver !== undefined) {
          try {
            return await driver.synced(deadline);
          } catch (error) {
            if (this.#driver === driver || !(error instanceof SyncStuck)) throw error;
            continue;
          }
        }
        this.#check();
        if (this.#tabs.isLeader || this.#session === undefined) throw new SyncStuck('not connected to a hub', undefined);
        if (await this.#askLeader(deadline)) return;
      }
    } finally {
      deadline.release();
    }
  }
  /** Looks at the hub now; nobody waits for it. */
  syncSoon(): void {
    if (this.#driver !== undefined) this.#driver.syncNow();
    else this.#tabs.post({ kind: 'sync' });
  }

  readonly status = {
    get: (): Status => this.#status,
    /** Calls back at once, and whenever it changes. Returns the end of it. */
    watch: (onChange: (status: Status) => void, options: { signal?: AbortSignal } = {}): (() => void) => {
      const stop = () => { this.#statusListeners.delete(onChange); };
      if (options.signal?.aborted) return stop;
      this.#statusListeners.add(onChange);
      options.signal?.addEventListener('abort', stop, { once: true });
      onChange(this.#status);
      this.#touchStatus();
      return stop;
    },
  };

  /** The changes that the hub has not acknowledged. */
  async *outbox(): AsyncGenerator<Waiting> {
    const kPage = 100;
    for (const opened of [...this.#spaces.values()]) {
      await opened.ready;
      const { local } = opened;
      let last = 0;
      for (let isFirst = true; ; isFirst = false) {
        const page = await this.#store.read(async (tx) => {
          const state = await readState(tx, local.name);
          // Refused ones come with the first page only.
          return isFirst ? listWaiting(tx, local.name, state, kPage)
            : (await tx.own(local.name, Math.max(last, state.pushed), kPage)).map((row): { row: Row; note?: Note } => ({ row }));
        });
        for (const { row, note } of page) yield this.#waiting(local, row, note);
        const own = page.filter(({ note }) => note === undefined);
        if (own.length < kPage) break;
        last = own.at(-1)?.row.seq ?? last;
      }
    }
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    this.#listeners[name].add(listener);
    return () => { this.#listeners[name].delete(listener); };
  }

  /**
   * Removes the local copy. With `discard: false` only if nothing waits for the hub: otherwise throws `changes_waiting`
   * and changes nothing.
   */
  async logout({ discard }: { discard: boolean }): Promise<void> {
    this.#check();
    const names = [...this.#spaces.keys()];
    await this.#store.write(async (tx) => {
      let waiting = 0;
      for (const name of new Set([...names, ...(await tx.value('spaces') as string[] | undefined ?? [])])) {
        waiting += await countWaiting(tx, name, await readState(tx, name));
      }
      if (waiting > 0 && !discard) {
        throw new SynclineError('changes_waiting', `${waiting} change${waiting === 1 ? ' waits' : 's wait'} for the hub`);
      }
      tx.clear();
    });
    this.close();
    if (this.#sharedName !== undefined) await deleteDatabase(this.#sharedName);
  }
  /** The local copy stays; what waits is sent when it is opened again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#driver?.close();
    this.#driver = undefined;
    this.#session?.close();
    this.#tabs?.close();
    this.#watchers.clear();
    this.#unwatchPage();
    this.#store.close();
  }

  /** For calls of the hub, with a checked key. */
  async caller(): Promise<Caller> {
    this.#check();
    if (this.#session === undefined) throw new SyncStuck('not connected to a hub', undefined);
    return this.#session.caller();
  }

  #check(): void {
    if (this.#isClosed) throw closed();
  }
  #open(name: string): SpaceParts {
    const known = this.#spaces.get(name);
    if (known !== undefined) return known;
    const bytes = new TextEncoder().encode(name).length;
    if (bytes < 1 || bytes > 512 || !/^[\p{L}\p{N}\p{M}._/@-]+$/u.test(name)) {
      throw new Refused('invalid_space', 'a space has 1 to 512 bytes of letters, digits, `.`, `_`, `-` and `/`');
    }
    const local = new LocalSpace(this.#store, name, this.#indexes, this.#limits,
      (space, collections, why) => this.#committed(space, collections, why),
      (space, collection, id) => this.#emit('conflict', { space, collection, id }));
    const parts = { local, store: this.#store, indexes: this.#indexes, watchers: this.#watchers,
      ready: this.#load(local) };
    parts.ready.catch(() => this.#spaces.delete(name));  // whoever uses it hears why
    this.#spaces.set(name, parts);
    return parts;
  }
  async #load(local: LocalSpace): Promise<void> {
    await local.load();
    await this.#store.write(async (tx) => {
      const names = await tx.value('spaces') as string[] | undefined ?? [];
      if (!names.includes(local.name)) tx.setValue('spaces', [...names, local.name]);
    });
    const { windowMs, intervalMs } = { ...kReplicatorDefaults, ...this.#options.sync };
    const replica = new SpaceReplica(local, this.#limits, { windowMs, intervalMs });
    this.#replicas.set(local.name, replica);
    await this.#inTurn(async () => this.#driver?.add(replica, false));
  }

  /** Throws for the account of another copy; otherwise the copy belongs to this one from now on. */
  async #admit(account: string, url: string): Promise<void> {
    const isAnotherHub = await this.#store.write(async (tx) => {
      const identity = await tx.value(kIdentity) as Identity | undefined ?? {};
      if (identity.account !== undefined && identity.account !== account) {
        throw new AccountMismatch('account_mismatch',
          `this copy belongs to ${identity.account}, and the key to ${account}`, { retry: 'after_reauth' });
      }
      tx.setValue(kIdentity, { account, url } satisfies Identity);
      return identity.url !== undefined && identity.url !== url;
    });
    // Nothing that is known of the other hub's versions counts here.
    if (isAnotherHub) for (const { local } of this.#replicas.values()) await local.startOver();
  }

  /** Connections change one after the other. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined);  // whoever asked hears of it
    return done;
  }
  #restart(): Promise<void> {
    return this.#inTurn(() => this.#restartNow());
  }
  async #restartNow(): Promise<void> {
    this.#driver?.close();
    this.#driver = undefined;
    if (this.#session !== undefined && this.#tabs.isLeader && !this.#isClosed) {
      const driver = new Driver(this.#session, () => this.#touchStatus(), (error) => this.#report(error));
      this.#driver = driver;
      for (const replica of this.#replicas.values()) {
        await replica.local.load();  // another tab may have moved it
        await driver.add(replica, false);
      }
      void this.#dropOldDeletions();
    }
    this.#touchStatus();
  }
  async #lead(isLeader: boolean): Promise<void> {
    if (isLeader) this.#led = undefined;
    await this.#restart();
  }
  async #dropOldDeletions(): Promise<void> {
    try {
      for (const { local } of this.#replicas.values()) while (await local.dropOldDeletions());
    } catch (error) {
      if (!this.#isClosed) this.#report(error);
    }
  }

  #committed(space: string, collections: Iterable<string>, why: Why): void {
    this.#watchers.notify(space, collections, why);
    if (why === 'local') this.#driver?.noteWrite(space);
    this.#tabs?.post({ kind: 'commit', space, collections: [...collections], why });
    this.#touchStatus();
  }
  #hear(message: Message): void {
    switch (message.kind) {
      case 'commit':
        this.#watchers.notify(message.space, message.collections, message.why);
        if (message.why === 'local') this.#driver?.noteWrite(message.space);
        this.#touchStatus();
        return;
      case 'hello':
        if (this.#driver !== undefined) this.#tabs.post({ kind: 'status', status: this.#status });
        return;
      case 'status': {
        if (this.#driver !== undefined) return;
        this.#led = message.status;
        this.#touchStatus();
        return;
      }
      case 'sync':
        return this.#driver?.syncNow();
      case 'ask':
        return void this.#answer(message.id);
      case 'answer':
        return this.#asked.get(message.id)?.(message);
      case 'key':
        this.#session?.setKeyUnchecked(message.token);
        return this.#driver?.keyChanged();
    }
  }
  async #answer(id: string): Promise<void> {
    if (this.#driver === undefined) return;
    const deadline = new Deadline({}, kCallMs);
    try {
      await this.#driver.synced(deadline);
      this.#tabs.post({ kind: 'answer', id });
    } catch (error) {
      const stuck = error instanceof SyncStuck ? error : new SyncStuck(String(error), undefined);
      this.#tabs.post({ kind: 'answer', id, error: { reason: stuck.reason, nextTry: stuck.nextTry } });
    } finally {
      deadline.release();
    }
  }
  /** False if the leader has not answered, or is this tab by now. */
  async #askLeader(deadline: Deadline): Promise<boolean> {
    const kAskAgainMs = 1000;
    const id = randomId();
    const answered = new Promise<Extract<Message, { kind: 'answer' }>>((resolve) => this.#asked.set(id, resolve));
    try {
      while (this.#driver === undefined) {
        this.#tabs.post({ kind: 'ask', id });
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

  #waiting(local: LocalSpace, row: Row, note: Note | undefined): Waiting {
    const { space, collection, id, seq } = row;
    return {
      space,
      collection,
      id,
      doc: row.deleted ? undefined : JSON.parse(row.doc) as Doc,
      offers: note?.offers ?? 0,
      isDead: (note?.offers ?? 0) >= kOffersMax,
      refusal: note && { code: note.code, detail: note.detail, since: note.since },
      retry: async () => {
        if (note !== undefined) await local.retry(collection, id);
        this.syncSoon();
      },
      discard: () => local.discard(collection, id, seq),
    };
  }

  /** Changes come fast, and counting what waits reads the store: one at a time, and the last one counts. */
  #touchStatus(): void {
    this.#statusIsWanted = true;
    if (this.#statusIsRunning) return;
    this.#statusIsRunning = true;
    void (async () => {
      while (this.#statusIsWanted && !this.#isClosed) {
        this.#statusIsWanted = false;
        await this.#makeStatus().catch((error: unknown) => { if (!this.#isClosed) this.#report(error); });
      }
      this.#statusIsRunning = false;
    })();
  }
  async #makeStatus(): Promise<void> {
    const [pending, refused] = await this.#store.read(async (tx) => {
      let pending = 0;
      let refused = 0;
      for (const name of this.#replicas.keys()) {
        pending += await countWaiting(tx, name, await readState(tx, name));
        refused += (await tx.notes(name)).length;
      }
      return [pending, refused];
    });
    const machines = [...this.#replicas.values()].map(({ machine }) => machine.status(steadyMs()));
    const shown = this.#driver !== undefined || this.#session === undefined
      ? combine(this.#driver === undefined ? [] : machines, steadyMs(), Date.now())
      : this.#led ?? { state: 'waiting' as const, reason: 'another tab syncs', since: Date.now(), nextTry: undefined,
        synced: undefined };
    const { state, reason, since, nextTry, synced } = shown;
    const before = this.#status;
    const isSame = before.state === state && before.reason === reason;
    const status: Status = {
      state, reason, since: isSame ? before.since : since, nextTry, synced, pending, refused, evictable: this.#evictable,
    };
    if (isSame && before.pending === pending && before.refused === refused && before.evictable === status.evictable) {
      this.#status = status;
      return;
    }
    this.#status = status;
    if (this.#driver !== undefined) this.#tabs.post({ kind: 'status', status });
    for (const listener of [...this.#statusListeners]) this.#call(listener, status);
    if (state === 'reauth' && before.state !== 'reauth') this.#emit('reauth', status);
  }

  #emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...this.#listeners[name]]) this.#call(listener, event);
  }
  #call<T>(listener: (event: T) => unknown, event: T): void {
    try {
      // A listener may be async: what it throws is reported too.
      Promise.resolve(listener(event)).catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }
  /** Nothing is only logged: without a listener it goes to the console, once per code and minute. */
  #report(reason: unknown): void {
    const error = reason instanceof SynclineError ? reason
      : new SynclineError('program', reason instanceof Error ? reason.message : String(reason), { cause: reason });
    if (this.#listeners.error.size > 0) {
      for (const listener of [...this.#listeners.error]) listener(error);
      return;
    }
    const now = Date.now();
    if (now - (this.#shown.get(error.code) ?? -Infinity) < kErrorEachMs) return;
    this.#shown.set(error.code, now);
    console.error('syncline:', error);
  }
  #lost(): void {
    if (this.#isClosed) return;
    this.close();
    this.#emit('closed', undefined);
  }
  /** A page that was offline or hidden looks at the hub when that ends. */
  #watchPage(): void {
    const page = (globalThis as { document?: Document }).document;
    if (page === undefined) return;
    const look = () => { if (page.visibilityState === 'visible') this.#driver?.syncNow(); };
    addEventListener('online', look);
    page.addEventListener('visibilitychange', look);
    this.#unwatchPage = () => {
      removeEventListener('online', look);
      page.removeEventListener('visibilitychange', look);
    };
  }
}
