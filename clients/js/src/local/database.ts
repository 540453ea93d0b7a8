// The local copy as a program sees it. Reads and writes go to the store of this tab; the network is never in the way.
import { Deadline, type Caller, type CallOptions, type Key } from '../http/call.js';
import { AccountMismatch, Refused, SynclineError, SyncStuck } from '../http/errors.js';
import { kSpaces, listSpaces, noteCopy } from '../replica/copies.js';
import { LocalSpace, type Why } from '../replica/local_space.js';
import { countWaiting, kLimits, type Limits } from '../replica/outbox.js';
import { SpaceReplica } from '../replica/space_replica.js';
import { readState } from '../replica/space_state.js';
import { Indexes } from '../store/indexes.js';
import type { Store } from '../store/store.js';
import { Watchers, type SpaceParts } from './collection.js';
import { Driver, steadyMs } from './driver.js';
import { Emitter, type Events } from './emitter.js';
import type { OpenOptions } from './options.js';
import { watchPage } from './page.js';
import { listQueue, type Waiting } from './queue.js';
import { Session } from './session.js';
import { Space } from './space.js';
import { combine, StatusBoard, type Status, type StatusView } from './status.js';
import { Tabs, type Message } from './tabs.js';

interface Identity {
  account?: string;
  url?: string;
}

const kIdentity = 'identity';
const kCallMs = 60_000;

export class Database {
  readonly #store: Store;
  readonly #options: OpenOptions;
  readonly #indexes: Indexes;
  readonly #limits: Limits;
  readonly #events = new Emitter();
  readonly #board = new StatusBoard(() => this.#measure(), this.#events, (status) => this.#tell(status));
  readonly #watchers = new Watchers(this.#events.report);
  readonly #spaces = new Map<string, SpaceParts>();
  readonly #replicas = new Map<string, SpaceReplica>();
  #unwatchPage: (() => void) | undefined;
  #tabs!: Tabs;
  #session: Session | undefined;
  #driver: Driver | undefined;
  #isClosed = false;
  #turn: Promise<void> = Promise.resolve();
  #evictable = false;
  /** What the leading tab last said. */
  #led: Status | undefined;

  constructor(store: Store, options: OpenOptions) {
    this.#store = store;
    this.#options = options;
    this.#indexes = new Indexes(options.indexes);
    const { batchOps: opsMax = kLimits.opsMax, batchBytes: bytesMax = kLimits.bytesMax } = options.sync ?? {};
    this.#limits = { ...kLimits, opsMax, bytesMax };
    store.onLost = () => this.#lost();
  }

  async start(): Promise<void> {
    const { spaces = [], url, key } = this.#options;
    await noteCopy(this.#store);
    for (const name of spaces) await this.#open(name).ready;
    const { sharedName } = this.#store;
    if (sharedName !== undefined) {
      // Some browsers ask the person: nothing waits for that.
      this.#evictable = true;
      globalThis.navigator?.storage?.persist?.().then((isKept) => {
        this.#evictable = !isKept;
        this.#board.touch();
      }, this.#events.report);
    }
    this.#tabs = new Tabs(sharedName, {
      onLead: (isLeader) => {
        if (isLeader) this.#led = undefined;
        this.#restart().catch(this.#events.report);
      },
      onMessage: (message) => this.#hear(message),
    });
    this.#tabs.post({ kind: 'hello' });
    if (url !== undefined) await this.connect(url, key ?? '');
    this.#unwatchPage = watchPage(() => this.#driver?.syncNow());
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
    const session = this.#connected();
    try {
      await session.setKey(key, options);
    } catch (error) {
      if (!(error instanceof SynclineError) || error.retry !== 'later') throw error;
      session.setKeyUnchecked(key);
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
        this.#connected(!this.#tabs.isLeader);
        if (await this.#tabs.ask(deadline, () => this.#driver !== undefined)) return;
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

  get status(): StatusView {
    return this.#board;
  }

  /** The changes that the hub has not acknowledged. */
  async *outbox(): AsyncGenerator<Waiting> {
    for (const { ready, local } of [...this.#spaces.values()]) {
      await ready;
      yield* listQueue(this.#store, local, () => this.syncSoon());
    }
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Removes the local copy. With `discard: false` only if nothing waits for the hub: otherwise throws `changes_waiting`
   * and changes nothing.
   */
  async logout({ discard }: { discard: boolean }): Promise<void> {
    this.#check();
    await this.#store.write(async (tx) => {
      let waiting = 0;
      for (const name of await listSpaces(tx)) {
        waiting += await countWaiting(tx, name, await readState(tx, name));
      }
      if (waiting > 0 && !discard) {
        throw new SynclineError('changes_waiting', `${waiting} change${waiting === 1 ? ' waits' : 's wait'} for the hub`);
      }
      tx.clear();
    });
    this.close();
    await this.#store.remove();
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
    this.#board.close();
    this.#unwatchPage?.();
    this.#store.close();
  }

  /** For calls of the hub, with a checked key. */
  async caller(): Promise<Caller> {
    return this.#connected().caller();
  }

  #connected(maySync = true): Session {
    this.#check();
    if (!maySync || this.#session === undefined) throw new SyncStuck('not connected to a hub', undefined);
    return this.#session;
  }
  #check(): void {
    if (this.#isClosed) throw new SynclineError('closed', 'the local copy is closed');
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
      (space, collection, id) => this.#events.emit('conflict', { space, collection, id }));
    const parts = { local, store: this.#store, indexes: this.#indexes, watchers: this.#watchers,
      ready: this.#load(local) };
    parts.ready.catch(() => this.#spaces.delete(name));  // whoever uses it hears why
    this.#spaces.set(name, parts);
    return parts;
  }
  async #load(local: LocalSpace): Promise<void> {
    await local.load();
    await this.#store.write(async (tx) => {
      const names = await listSpaces(tx);
      if (!names.includes(local.name)) tx.setValue(kSpaces, [...names, local.name]);
    });
    const replica = new SpaceReplica(local, this.#limits, this.#options.sync);
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
  /** A new driver if this tab leads, over spaces as the store has them. */
  #restart(): Promise<void> {
    return this.#inTurn(async () => {
      this.#driver?.close();
      this.#driver = undefined;
      if (this.#session !== undefined && this.#tabs.isLeader && !this.#isClosed) {
        const driver = new Driver(this.#session, () => this.#board.touch(), this.#events.report);
        this.#driver = driver;
        for (const replica of this.#replicas.values()) {
          await replica.local.load();  // another tab may have moved it
          await driver.add(replica, false);
        }
        void this.#dropOldDeletions();
      }
      this.#board.touch();
    });
  }
  async #dropOldDeletions(): Promise<void> {
    try {
      for (const { local } of this.#replicas.values()) while (await local.dropOldDeletions());
    } catch (error) {
      if (!this.#isClosed) this.#events.report(error);
    }
  }

  #committed(space: string, collections: Iterable<string>, why: Why): void {
    this.#watchers.notify(space, collections, why);
    if (why === 'local') this.#driver?.noteWrite(space);
    this.#tabs?.post({ kind: 'commit', space, collections: [...collections], why });
    this.#board.touch();
  }
  #hear(message: Message): void {
    switch (message.kind) {
      case 'commit':
        this.#watchers.notify(message.space, message.collections, message.why);
        if (message.why === 'local') this.#driver?.noteWrite(message.space);
        this.#board.touch();
        return;
      case 'hello':
        if (this.#driver !== undefined) this.#tabs.post({ kind: 'status', status: this.#board.get() });
        return;
      case 'status': {
        if (this.#driver !== undefined) return;
        this.#led = message.status;
        this.#board.touch();
        return;
      }
      case 'sync':
        return this.#driver?.syncNow();
      case 'ask':
        return void this.#answer(message.id);
      case 'key':
        this.#session?.setKeyUnchecked(message.token);
        return this.#driver?.keyChanged();
    }
  }
  async #answer(id: string): Promise<void> {
    if (this.#driver === undefined) return;
    const deadline = new Deadline({}, kCallMs);
    await this.#tabs.answer(id, this.#driver.synced(deadline));
    deadline.release();
  }

  async #measure(): Promise<Status> {
    const [pending, refused] = await this.#store.read(async (tx) => {
      let pending = 0;
      let refused = 0;
      for (const name of this.#replicas.keys()) {
        pending += await countWaiting(tx, name, await readState(tx, name));
        refused += (await tx.notes(name)).length;
      }
      return [pending, refused];
    });
    const replicas = this.#driver === undefined ? [] : [...this.#replicas.values()];
    const shown = this.#driver !== undefined || this.#session === undefined
      ? combine(replicas.map(({ machine }) => machine.status(steadyMs())), steadyMs(), Date.now())
      : this.#led ?? { ...combine([], 0, Date.now()), state: 'waiting', reason: 'another tab syncs' };
    return { ...shown, pending, refused, evictable: this.#evictable };
  }
  #tell(status: Status): void {
    if (this.#driver !== undefined) this.#tabs.post({ kind: 'status', status });
  }
  #lost(): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.emit('closed', undefined);
  }
}
