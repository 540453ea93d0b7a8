// The durable half of a replicator, as src/replica/local_space of the hub: what this copy knows of the hub's versions.
// Pages of the hub become versions here, edits become pushes, and verdicts settle them, each in one transaction with the
// position it belongs to: a crash anywhere leaves a state from which the next cycle goes on. Positions move only from
// where the transaction finds them, so that several tabs may do this at once.
import { kBeginning, knowsThrough, type Cursor, historyOf } from '../core/cursor.js';
import { SynclineError } from '../http/errors.js';
import type { ReadTx, Row, Store, WriteTx } from '../store/store.js';
import type { Indexes } from '../store/indexes.js';
import { sameContent, settleWaiting } from './known_versions.js';
import {
  isWaiting, kOffersMax, nextBatch, noteRefused, refusedRow, type Batch, type BatchItem, type Limits,
} from './outbox.js';
import { hasState, knownOf, putState, readState, withKnown, type SpaceState } from './space_state.js';
import { NotUnderstood, type DamagedRecord, type HubVersion, type Page, type PushAnswer, type Verdict } from './wire.js';

export interface Settled {
  cursor: Cursor;
  needsPull: boolean;
  /** The batch was not settled to its end: send the rest again. */
  isPartial: boolean;
}

/** Who changed the collections that a transaction touched. */
export type Why = 'local' | 'hub';
export type OnCommit = (space: string, collections: Set<string>, why: Why) => void;

/** What the hub keeps as a conflict: an edit of this device that lost. */
export type OnLoss = (space: string, collection: string, id: string) => void;

const kSweepChunk = 200;
const kTombstoneMs = 180 * 86_400_000;

export const stampOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`;

/** The next microsecond. */
function after(stamp: string): string {
  const ms = Date.parse(`${stamp.slice(0, 23)}Z`);
  const micros = Number(stamp.slice(23, 26)) + 1;
  const whole = new Date(ms + Math.trunc(micros / 1000)).toISOString().slice(0, -1);
  return `${whole}${String(micros % 1000).padStart(3, '0')}Z`;
}

/** One transaction on the space: its state, and what it touches. */
class Writing {
  readonly collections = new Set<string>();
  readonly losses: [string, string][] = [];

  constructor(readonly tx: WriteTx, readonly state: SpaceState, private readonly indexes: Indexes) {}

  /** The version takes the next place in the feed. */
  async put(row: Row, stored: Row | undefined): Promise<void> {
    this.collections.add(row.collection);
    await this.indexes.change(this.tx, row, stored);
    this.tx.put(row);
  }
  async removeEarlier(row: Row, before = Infinity): Promise<void> {
    for (const version of await this.tx.earlier(row.space, row.collection, row.id)) {
      if (version.seq < before) this.tx.removeEarlier(version);
    }
  }
}

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
    if (this.#state === undefined) throw new Error('the space is not loaded');
    return this.#state;
  }

  // Edits of this device.

  /**
   * Makes what `change` returns the new version: a text, null for a deletion, undefined for no change. Returns true if
   * there is a new version.
   */
  edit(collection: string, id: string, change: (stored: Row | undefined) => string | null | undefined): Promise<boolean> {
    return this.#write('local', async (writing) => {
      const { tx, state } = writing;
      const stored = await tx.find(this.name, collection, id);
      const doc = change(stored);
      const isThere = stored !== undefined && !stored.deleted;
      if (doc === undefined || (doc === null && !isThere) || (isThere && doc === stored.doc)) return false;
      if (stored !== undefined) this.#keepEarlier(writing, stored);
      const seq = ++state.head;
      const now = stampOf(this.now());
      const at = stored !== undefined && stored.at >= now ? after(stored.at) : now;
      const row: Row = { space: this.name, collection, id, seq, own: seq, at, deleted: doc === null, doc: doc ?? '' };
      if (doc === null) row.gone = this.now();
      if (stored?.base !== undefined) row.base = stored.base;
      await writing.put(row, stored);
      return true;
    });
  }

  /** A version that no push has carried is known to nobody; any other may come back, or be asked for. */
  #keepEarlier({ tx, state }: Writing, stored: Row): void {
    const neverSent = stored.own !== undefined && stored.seq > state.sentThrough;
    if (neverSent) return;
    const { space, collection, id, seq, at, deleted, doc } = stored;
    tx.putEarlier({ space, collection, id, seq, at, deleted, doc, isOwn: stored.own !== undefined });
  }

  /** Gives up a waiting change: the record is again what the hub has, as far as that is known here. */
  async discard(collection: string, id: string, seq: number): Promise<boolean> {
    const done = await this.#write('local', async (writing) => {
      const { tx, state } = writing;
      const stored = await tx.find(this.name, collection, id);
      if (stored?.seq !== seq || stored.own === undefined || !await isWaiting(tx, state, stored)) return false;
      tx.removeNote(this.name, collection, id);
      const known = knownOf(state, stored);
      const earlier = await tx.earlier(this.name, collection, id);
      const ground = earlier.find((one) => !one.isOwn || (known !== undefined && one.seq <= known.local));
      await writing.removeEarlier(stored);
      writing.collections.add(collection);
      if (ground === undefined) {
        await this.indexes.change(tx, undefined, stored);
        tx.remove(this.name, collection, id);
        return true;
      }
      if (known === undefined) {
        // Of another history of the hub: this one may lack it.
        const next = ++state.head;
        const { at, deleted, doc } = ground;
        await writing.put({ space: this.name, collection, id, seq: next, own: next, at, deleted, doc }, stored);
        return true;
      }
      const version = { collection, id, seq: known.hub, at: ground.at, deleted: ground.deleted, doc: ground.doc };
      await this.#adopt(writing, version, stored);
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
    const offers = page.damaged.length > 0 && await this.#hasCopies(page.damaged);
    const saysNothing = page.versions.length === 0 && page.cursor.text === state.cursor.text;
    if (saysNothing && !offers && !state.readsFromStart) return;
    const mayOffer = offers || state.unnamed.length > 0 || page.damaged.some((lost) => lost.id === '');
    await this.#write('hub', async (writing) => {
      const { tx, state } = writing;
      if (page.since.epoch !== state.cursor.epoch || page.since.seq !== state.cursor.seq) return;
      // First: a newer version in this page must meet the copy, not replace it.
      for (const lost of page.damaged) {
        await this.#offerCopy(writing, lost);
        if (state.readsFromStart) await this.#noteLost(writing, lost);
      }
      const stored = await Promise.all(
        page.versions.map((version) => tx.find(this.name, version.collection, version.id)));
      for (const [i, version] of page.versions.entries()) await this.#take(writing, version, stored[i]);
      if (await this.#missesAny(writing, page.damaged)) state.missedIn = page.cursor.incarnation;
      state.cursor = page.cursor;
      noteAnswer(state, page.cursor);
      state.exchangedAt = this.now();
      if (state.readsFromStart && !page.more) {
        await this.#sweep(writing);
        state.readsFromStart = false;
        state.unnamed = [];
      }
    }, mayOffer ? 'alsoOwn' : 'theHubs');
    // What a hub delivers refuses nothing more.
    if (this.waitingRefused + this.deadLetters > 0) await this.countRefused();
  }

  /** What to push now, noted as sent; no items if nothing waits. */
  async nextBatch(withRefused: boolean, opsMax: number): Promise<Batch> {
    return this.#write('local', ({ tx, state }) => nextBatch(
      tx, this.name, state, withRefused, Math.min(opsMax, this.limits.opsMax), this.limits.bytesMax), 'alsoOwn');
  }

  async settle(batch: Batch, answer: PushAnswer): Promise<Settled> {
    const settled = await this.#write('hub', async (writing): Promise<Settled> => {
      const { tx, state } = writing;
      const settled: Settled = { cursor: state.cursor, needsPull: false, isPartial: false };
      // Another tab has settled some of it: what is left goes again.
      if (state.generation !== batch.generation || state.pushed !== batch.after) return { ...settled, isPartial: true };
      noteAnswer(state, answer.cursor);
      state.exchangedAt = this.now();
      const before = state.cursor.seq;
      const own = new Set<number>();
      let wasTakenBack = false;
      for (const [i, item] of batch.items.entries()) {
        const verdict = answer.verdicts[i] as Verdict;
        const stored = await tx.find(this.name, item.row.collection, item.row.id);
        const outcome = await this.#settleOne(writing, item, verdict, stored);
        if (outcome === 'unknown') {
          settled.isPartial = true;
          if (i > 0) return settled;
          throw new NotUnderstood('the stored version is missing from a result');
        }
        if (outcome === 'takenBack') wasTakenBack = true;
        if (!item.wasRefused) state.pushed = item.row.seq;
        if (verdict.seq > before) own.add(verdict.seq);
        if (verdict.status === 'merged') settled.needsPull = true;
      }
      state.pushed = batch.through;
      // If all that is new at the hub is ours, there is nothing to pull.
      const allOurs = !wasTakenBack && answer.cursor.epoch === state.cursor.epoch &&
        answer.cursor.seq - before === own.size;
      if (allOurs && !state.readsFromStart) state.cursor = answer.cursor;
      settled.needsPull = wasTakenBack || (settled.needsPull && !allOurs);
      return settled;
    });
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
    }, 'alsoOwn');
  }
  /** The hub has forgotten deletions behind the cursor: reads from the beginning, and removes what was not there. */
  async readFromStart(): Promise<void> {
    await this.#write('hub', async ({ state }) => {
      Object.assign(state, {
        cursor: kBeginning, missedIn: '', readsFromStart: true, round: state.round + 1, unnamed: [],
      } satisfies Partial<SpaceState>);
    }, 'alsoOwn');
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
      const rows = await tx.gone(this.name, this.now() - kTombstoneMs, kSweepChunk);
      let dropped = 0;
      for (const row of rows) {
        if (await isWaiting(tx, state, row)) continue;
        tx.remove(row.space, row.collection, row.id);
        ++dropped;
      }
      return dropped === kSweepChunk;
    });
  }

  /**
   * Runs `body` in a transaction and keeps the state it leaves; `pushed` follows versions that are all the hub's.
   */
  async #write<T>(why: Why, body: (writing: Writing) => Promise<T>, stores: 'theHubs' | 'alsoOwn' =
    why === 'local' ? 'alsoOwn' : 'theHubs'): Promise<T> {
    let writing!: Writing;
    const result = await this.store.write(async (tx) => {
      // Another tab has logged out since: a change that is stored now would be gone with the database.
      if (!await hasState(tx, this.name)) throw new SynclineError('closed', 'the local copy is closed');
      const state = await readState(tx, this.name);
      const before = JSON.stringify(state);
      const waited = state.head > state.pushed || state.pushed < state.offerThrough;
      writing = new Writing(tx, state, this.indexes);
      const result = await body(writing);
      // If nothing waited before, nothing waits now.
      if (stores === 'theHubs' && !waited) state.pushed = state.head;
      if (JSON.stringify(state) !== before) putState(tx, this.name, state);
      return result;
    });
    this.#state = writing.state;
    if (writing.collections.size > 0) this.onCommit(this.name, writing.collections, why);
    for (const [collection, id] of writing.losses) this.onLoss(this.name, collection, id);
    return result;
  }

  async #adopt(writing: Writing, version: HubVersion, stored: Row | undefined): Promise<void> {
    const { tx, state } = writing;
    const { collection, id, at, deleted, doc } = version;
    const seq = ++state.head;
    const row = withKnown(state, { space: this.name, collection, id, seq, at, deleted, doc }, version.seq, seq);
    if (deleted) row.gone = this.now();
    if (stored !== undefined) {
      tx.removeNote(this.name, collection, id);
      if (stored.own !== undefined) await writing.removeEarlier(row);
    }
    await writing.put(row, stored);
  }

  async #take(writing: Writing, version: HubVersion, stored: Row | undefined): Promise<void> {
    const { tx, state } = writing;
    if (stored !== undefined) {
      const known = knownOf(state, stored);
      // A page that was made before the answer to a push came later: what it has is replaced.
      if (known !== undefined && version.seq < known.hub) return this.#mark(writing, stored);
      const pending = await isWaiting(tx, state, stored);
      if (pending && !await settleWaiting(tx, state, stored, version)) return;
      if (!pending && sameContent(stored, version) && stored.at === version.at) {
        const isKnown = known?.hub === version.seq && known.local === stored.seq;
        if (isKnown) return this.#mark(writing, stored);
        tx.put(withKnown(state, stored, version.seq, stored.seq));
        return;
      }
    }
    await this.#adopt(writing, version, stored);
  }

  /** The reading from the beginning has met the record. */
  #mark({ tx, state }: Writing, stored: Row): void {
    const known = knownOf(state, stored);
    if (known !== undefined && known.round !== state.round) tx.put(withKnown(state, stored, known.hub, known.local));
  }

  async #findCopy(tx: ReadTx, state: SpaceState, lost: DamagedRecord): Promise<Row | undefined> {
    if (lost.id === '') return undefined;
    const stored = await tx.find(this.name, lost.collection, lost.id);
    if (stored === undefined || knownOf(state, stored)?.hub !== lost.seq) return undefined;
    // What was made of it since goes out anyway.
    return await isWaiting(tx, state, stored) ? undefined : stored;
  }
  #hasCopies(damaged: DamagedRecord[]): Promise<boolean> {
    return this.store.read(async (tx) => {
      const state = await readState(tx, this.name);
      for (const lost of damaged) if (await this.#findCopy(tx, state, lost)) return true;
      return false;
    });
  }
  /** Makes the copy a version of this device, which goes out. */
  async #offerCopy(writing: Writing, lost: DamagedRecord): Promise<void> {
    const copy = await this.#findCopy(writing.tx, writing.state, lost);
    if (copy === undefined) return;
    const seq = ++writing.state.head;
    await writing.put({ ...copy, seq, own: seq }, copy);
  }
  async #noteLost(writing: Writing, lost: DamagedRecord): Promise<void> {
    const { tx, state } = writing;
    if (lost.id === '') {
      state.unnamed = [...state.unnamed, lost.seq];
      return;
    }
    // Of a record that has been written since, a lost version tells nothing: it may be deleted by now.
    const stored = lost.isReplaced ? undefined : await tx.find(this.name, lost.collection, lost.id);
    if (stored !== undefined) this.#mark(writing, stored);
  }
  async #missesAny({ tx, state }: Writing, damaged: DamagedRecord[]): Promise<boolean> {
    for (const lost of damaged) {
      if (lost.isReplaced) continue;
      if (lost.id === '') return true;
      const known = knownOf(state, await tx.find(this.name, lost.collection, lost.id));
      if (known === undefined || known.hub < lost.seq) return true;
    }
    return false;
  }

  /** Removes what the hub once had and did not deliver in this reading. */
  async #sweep(writing: Writing): Promise<void> {
    const { tx, state } = writing;
    if (state.round === 1) return;  // the first reading delivered all that is known
    const end = state.head;
    for (let place = 0; place < end; ) {
      const rows = await tx.feed(this.name, place, kSweepChunk);
      for (const stored of rows) {
        place = stored.seq;
        const known = knownOf(state, stored);
        if (stored.deleted || known === undefined || known.round === state.round || stored.seq > end) continue;
        if (await isWaiting(tx, state, stored)) continue;
        const { collection, id, at } = stored;
        if (state.unnamed.length > 0) {
          // It may be what the hub has lost: nothing is deleted here because of that.
          const mayBeLost = state.unnamed.includes(known.hub);
          if (mayBeLost) await this.#offerCopy(writing, { collection, id, seq: known.hub, isReplaced: false });
          continue;
        }
        await this.#adopt(writing, { collection, id, seq: known.hub, at, deleted: true, doc: '' }, stored);
      }
      if (rows.length < kSweepChunk) return;
    }
  }

  /**
   * `unknown`: the answer is not enough. `takenBack`: the change was discarded while it was on its way, so what the hub
   * made of it has to be pulled.
   */
  async #settleOne(writing: Writing, { row: sent }: BatchItem, verdict: Verdict,
    stored: Row | undefined): Promise<'settled' | 'unknown' | 'takenBack'> {
    const { tx, state } = writing;
    const isUnchanged = stored?.seq === sent.seq;
    if (verdict.status === 'refused') {
      // What came from the hub and is only offered again is the hub's own affair.
      if (isUnchanged && stored.own !== undefined) {
        await noteRefused(tx, sent, verdict.code, verdict.detail, stampOf(this.now()));
      }
      return 'settled';
    }
    if (stored === undefined || (!isUnchanged && stored.own === undefined)) return 'takenBack';
    const tookIt = verdict.status === 'applied' || verdict.status === 'noop';
    const { version } = verdict;
    if (!tookIt && version === undefined) return 'unknown';
    tx.removeNote(this.name, sent.collection, sent.id);
    if (version === undefined) {
      const isOtherStamp = verdict.at !== undefined && verdict.at !== stored.at;
      if (isUnchanged && isOtherStamp) {
        const { collection, id, deleted, doc } = stored;
        await this.#adopt(writing, { collection, id, deleted, doc, seq: verdict.seq, at: verdict.at as string }, stored);
        return 'settled';
      }
      tx.put(withKnown(state, stored, verdict.seq, sent.seq));
      await writing.removeEarlier(stored, sent.seq);
      return 'settled';
    }
    // A newer edit waits already: the hub will decide about that one.
    if (!isUnchanged) return 'settled';
    if (verdict.status === 'stale' && !sameContent(stored, version)) {
      writing.losses.push([stored.collection, stored.id]);
    }
    await this.#adopt(writing, version, stored);
    return 'settled';
  }
}

function noteAnswer(state: SpaceState, answered: Cursor): void {
  if (answered.epoch === '') return;  // a verdict that was made here says nothing of the hub
  state.epoch = answered.epoch;
  const saysLess = historyOf(answered) === historyOf(state.known) && knowsThrough(answered) < knowsThrough(state.known);
  if (!saysLess) state.known = answered;
}
