// The durable half of a replicator, as src/replica/local_space of the hub: what this copy knows of the hub's versions.
// Pages of the hub become versions here, edits become pushes, and verdicts settle them, each in one transaction with the
// position it belongs to: a crash anywhere leaves a state from which the next cycle goes on. Positions move only from
// where the transaction finds them, so that several tabs may do this at once.
import { historyOf, kBeginning, knowsThrough, type Cursor } from '../core/cursor.js';
import { SynclineError } from '../http/errors.js';
import type { Row, Store } from '../store/store.js';
import type { Indexes } from '../store/indexes.js';
import { hasCopies, takePage } from './deliveries.js';
import { isWaiting, kOffersMax, nextBatch, refusedRow, type Batch, type Limits } from './outbox.js';
import { settleBatch, type Settled } from './settling.js';
import { hasState, knownOf, putState, readState, type SpaceState } from './space_state.js';
import { stampAfter, stampOf } from './stamps.js';
import type { Page, PushAnswer } from './wire.js';
import { Writing } from './writing.js';

/** Who changed the collections that a transaction touched. */
export type Why = 'local' | 'hub';
export type OnCommit = (space: string, collections: Set<string>, why: Why) => void;

/** What the hub keeps as a conflict: an edit of this device that lost. */
export type OnLoss = (space: string, collection: string, id: string) => void;

const kDropChunk = 200;
const kTombstoneMs = 180 * 86_400_000;

export class LocalSpace {
  #state: SpaceState | undefined;
  waitingRefused = 0;
  deadLetters = 0;

  constructor(private readonly store: Store, readonly name: string, private readonly indexes: Indexes,
    private readonly limits: Limits, private readonly onCommit: OnCommit = () => undefined,
    private readonly onLoss: OnLoss = () => undefined, private readonly now: () => number = Date.now) {}

  async load(): Promise<void> {
    await this.store.write(async (tx) => {
      await this.indexes.fit(tx, this.name);
      this.#state = await readState(tx, this.name);
      if (!await hasState(tx, this.name)) putState(tx, this.name, this.#state);
    });
    await this.countRefused();
  }
  /** As the last transaction of this tab left it. */
  get state(): SpaceState {
    if (this.#state === undefined) throw new Error('not loaded');
    return this.#state;
  }

  // Edits of this device.

  /**
   * Makes what `change` returns the new version: a text, null for a deletion, undefined for no change. Returns true if
   * there is a new version.
   */
  edit(collection: string, id: string, change: (stored: Row | undefined) => string | null | undefined): Promise<boolean> {
    return this.#write('local', async (writing) => {
      const { state } = writing;
      const stored = await writing.find(collection, id);
      const doc = change(stored);
      const isThere = stored !== undefined && !stored.deleted;
      if (doc === undefined || (doc === null && !isThere) || (isThere && doc === stored.doc)) return false;
      if (stored !== undefined) writing.keepEarlier(stored);
      const seq = ++state.head;
      const now = stampOf(this.now());
      const at = stored !== undefined && stored.at >= now ? stampAfter(stored.at) : now;
      const row: Row = { space: this.name, collection, id, seq, own: seq, at, deleted: doc === null, doc: doc ?? '' };
      if (doc === null) row.gone = this.now();
      if (stored?.base !== undefined) row.base = stored.base;
      await writing.put(row, stored);
      return true;
    });
  }

  /** Gives up a waiting change: the record is again what the hub has, as far as that is known here. */
  async discard(collection: string, id: string, seq: number): Promise<boolean> {
    const done = await this.#write('local', async (writing) => {
      const { tx, state } = writing;
      const stored = await writing.find(collection, id);
      if (stored?.seq !== seq || stored.own === undefined || !await isWaiting(tx, state, stored)) return false;
      tx.removeNote(this.name, collection, id);
      const known = knownOf(state, stored);
      const earlier = await tx.earlier(this.name, collection, id);
      const ground = earlier.find((one) => !one.isOwn || (known !== undefined && one.seq <= known.local));
      await writing.removeEarlier(stored);
      if (ground === undefined) {
        await writing.forget(stored);
        return true;
      }
      if (known === undefined) {
        // Of another history of the hub: this one may lack it.
        const next = ++state.head;
        const { isOwn: _, ...version } = ground;
        await writing.put({ ...version, seq: next, own: next }, stored);
        return true;
      }
      await writing.adopt({ ...ground, seq: known.hub }, stored);
      return true;
    });
    await this.countRefused();
    return done;
  }

  /** Offers a refused change as if it were new. */
  async retry(collection: string, id: string): Promise<void> {
    await this.store.write(async (tx) => {
      const note = await tx.note(this.name, collection, id);
      if (note !== undefined) tx.putNote({ ...note, offers: 0 });
    });
    await this.countRefused();
  }

  // What the hub says.

  /** Takes what a page delivers, and offers what the hub has lost of it. One that does not continue is left alone. */
  async apply(page: Page): Promise<void> {
    const { state } = this;
    const offers = page.damaged.length > 0 && await this.store.read(async (tx) =>
      hasCopies(tx, this.name, await readState(tx, this.name), page.damaged));
    const saysNothing = page.versions.length === 0 && page.cursor.text === state.cursor.text;
    if (saysNothing && !offers && !state.readsFromStart) return;
    const mayOffer = offers || state.unnamed.length > 0 || page.damaged.some((lost) => lost.id === '');
    await this.#write('hub', async (writing) => {
      const { cursor } = writing.state;
      if (page.since.epoch === cursor.epoch && page.since.seq === cursor.seq) await takePage(writing, page);
    }, mayOffer);
    // What a hub delivers refuses nothing more.
    if (this.waitingRefused + this.deadLetters > 0) await this.countRefused();
  }

  /** What to push now, noted as sent; no items if nothing waits. */
  async nextBatch(withRefused: boolean, opsMax: number): Promise<Batch> {
    return this.#write('local', ({ tx, state }) => nextBatch(
      tx, this.name, state, withRefused, Math.min(opsMax, this.limits.opsMax), this.limits.bytesMax));
  }

  async settle(batch: Batch, answer: PushAnswer): Promise<Settled> {
    const settled = await this.#write('hub', (writing) => settleBatch(writing, batch, answer));
    settled.cursor = this.state.cursor;
    settled.needsPull ||= this.mayHaveMissed();
    await this.countRefused();
    return settled;
  }

  /**
   * The hub's history is another one: nothing that is known of its versions counts, everything is to be offered. Unless
   * somebody has done that since `generation`.
   */
  async startOver(generation = this.state.generation): Promise<void> {
    await this.#write('hub', async ({ state }) => {
      if (state.generation !== generation) return;
      Object.assign(state, {
        generation: state.generation + 1, epoch: '', cursor: kBeginning, known: kBeginning, pushed: 0,
        offerThrough: state.head, readsFromStart: true, round: state.round + 1, unnamed: [], missedIn: '',
      } satisfies Partial<SpaceState>);
    }, true);
  }
  /** The hub has forgotten deletions behind the cursor: reads from the beginning, and removes what was not there. */
  async readFromStart(): Promise<void> {
    await this.#write('hub', async ({ state }) => {
      Object.assign(state, {
        cursor: kBeginning, missedIn: '', readsFromStart: true, round: state.round + 1, unnamed: [],
      } satisfies Partial<SpaceState>);
    }, true);
  }
  /** True if the hub may have a record again that was damaged when it was pulled: then it is to be read from the start. */
  mayHaveMissed(): boolean {
    const now = this.state.known.incarnation;
    return this.state.missedIn !== '' && now !== '' && now !== this.state.missedIn;
  }
  /**
   * True if an answer with that cursor speaks of another history than what is known here. Which openings of its store
   * belong together only the hub can tell: it is asked with `known`.
   */
  isOtherHistory(answered: Cursor): boolean {
    const { known, epoch } = this.state;
    const isBehind = answered.incarnation !== '' && answered.incarnation === known.incarnation &&
      knowsThrough(answered) < knowsThrough(known);
    return epoch !== '' && (answered.epoch !== epoch || isBehind);
  }
  get history(): string {
    return this.state.known.epoch === '' ? this.state.epoch : historyOf(this.state.known);
  }
  get pushEverythingFirst(): boolean {
    return this.state.pushed < this.state.offerThrough;
  }

  async countRefused(): Promise<void> {
    await this.store.read(async (tx) => {
      let waiting = 0;
      let dead = 0;
      for (const note of await tx.notes(this.name)) {
        if (await refusedRow(tx, note) === undefined) continue;
        if (note.offers >= kOffersMax) ++dead;
        else ++waiting;
      }
      this.waitingRefused = waiting;
      this.deadLetters = dead;
    });
  }

  /** Drops deletions that the hub has had for long. Returns true if there may be more. */
  async dropOldDeletions(): Promise<boolean> {
    return this.store.write(async (tx) => {
      const state = await readState(tx, this.name);
      const rows = await tx.gone(this.name, this.now() - kTombstoneMs, kDropChunk);
      let dropped = 0;
      for (const row of rows) {
        if (await isWaiting(tx, state, row)) continue;
        tx.remove(row.space, row.collection, row.id);
        ++dropped;
      }
      return dropped === kDropChunk;
    });
  }

  /**
   * Runs `body` in a transaction and keeps the state it leaves; `pushed` follows versions that are all the hub's.
   */
  async #write<T>(why: Why, body: (writing: Writing) => Promise<T>,
    storesOwn = why === 'local'): Promise<T> {
    let writing!: Writing;
    const result = await this.store.write(async (tx) => {
      // Another tab has logged out since: a change that is stored now would be gone with the database.
      const [isThere, state] = await Promise.all([hasState(tx, this.name), readState(tx, this.name)]);
      if (!isThere) throw new SynclineError('closed', 'the local copy is closed');
      const before = JSON.stringify(state);
      const waited = state.head > state.pushed || state.pushed < state.offerThrough;
      writing = new Writing(tx, state, this.name, this.indexes, this.now);
      const result = await body(writing);
      // If nothing waited before, nothing waits now.
      if (!storesOwn && !waited) state.pushed = state.head;
      if (JSON.stringify(state) !== before) putState(tx, this.name, state);
      return result;
    });
    this.#state = writing.state;
    if (writing.collections.size > 0) this.onCommit(this.name, writing.collections, why);
    for (const [collection, id] of writing.losses) this.onLoss(this.name, collection, id);
    return result;
  }
}
