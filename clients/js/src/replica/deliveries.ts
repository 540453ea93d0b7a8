// What a page of the hub does to a space: versions are adopted unless an edit waits, what the hub has lost is offered
// again, and a reading from the beginning ends with the removal of what was not in it.
import { historyOf, knowsThrough, type Cursor } from '../core/cursor.js';
import type { ReadTx, Row } from '../store/store.js';
import { sameContent, settleWaiting } from './known_versions.js';
import { isWaiting } from './outbox.js';
import { knownOf, withKnown, type SpaceState } from './space_state.js';
import type { DamagedRecord, HubVersion, Page } from './wire.js';
import type { Writing } from './writing.js';

const kSweepChunk = 200;

/** Takes the whole page; the cursor moves with it. The page must continue where the state is. */
export async function takePage(writing: Writing, page: Page): Promise<void> {
  const { state } = writing;
  // First: a newer version in this page must meet the copy, not replace it.
  for (const lost of page.damaged) {
    await offerCopy(writing, lost);
    if (state.readsFromStart) await noteLost(writing, lost);
  }
  const stored = await Promise.all(page.versions.map((version) => writing.find(version.collection, version.id)));
  for (const [i, version] of page.versions.entries()) await take(writing, version, stored[i]);
  if (await missesAny(writing, page.damaged)) state.missedIn = page.cursor.incarnation;
  state.cursor = page.cursor;
  noteAnswer(writing, page.cursor);
  if (state.readsFromStart && !page.more) {
    await sweep(writing);
    state.readsFromStart = false;
    state.unnamed = [];
  }
}

/** The hub has answered with this cursor: what it has acknowledged counts. */
export function noteAnswer({ state, now }: Writing, answered: Cursor): void {
  state.exchangedAt = now();
  if (answered.epoch === '') return;  // a verdict that was made here says nothing of the hub
  state.epoch = answered.epoch;
  const saysLess = historyOf(answered) === historyOf(state.known) && knowsThrough(answered) < knowsThrough(state.known);
  if (!saysLess) state.known = answered;
}

/** True if the space has a copy of something that the hub has lost. */
export async function hasCopies(tx: ReadTx, space: string, state: SpaceState,
  damaged: DamagedRecord[]): Promise<boolean> {
  for (const lost of damaged) if (await findCopy(tx, space, state, lost)) return true;
  return false;
}

async function take(writing: Writing, version: HubVersion, stored: Row | undefined): Promise<void> {
  const { tx, state } = writing;
  if (stored !== undefined) {
    const known = knownOf(state, stored);
    // A page that was made before the answer to a push came later: what it has is replaced.
    if (known !== undefined && version.seq < known.hub) return writing.mark(stored);
    const pending = await isWaiting(tx, state, stored);
    if (pending && !await settleWaiting(tx, state, stored, version)) return;
    if (!pending && sameContent(stored, version) && stored.at === version.at) {
      const isKnown = known?.hub === version.seq && known.local === stored.seq;
      if (isKnown) return writing.mark(stored);
      tx.put(withKnown(state, stored, version.seq, stored.seq));
      return;
    }
  }
  await writing.adopt(version, stored);
}

async function findCopy(tx: ReadTx, space: string, state: SpaceState, lost: DamagedRecord): Promise<Row | undefined> {
  if (lost.id === '') return undefined;
  const stored = await tx.find(space, lost.collection, lost.id);
  if (stored === undefined || knownOf(state, stored)?.hub !== lost.seq) return undefined;
  // What was made of it since goes out anyway.
  return await isWaiting(tx, state, stored) ? undefined : stored;
}
/** Makes the copy a version of this device, which goes out. */
async function offerCopy(writing: Writing, lost: DamagedRecord): Promise<void> {
  const { tx, state } = writing;
  const copy = await findCopy(tx, writing.name, state, lost);
  if (copy === undefined) return;
  const seq = ++state.head;
  await writing.put({ ...copy, seq, own: seq }, copy);
}
async function noteLost(writing: Writing, lost: DamagedRecord): Promise<void> {
  const { state } = writing;
  if (lost.id === '') {
    state.unnamed = [...state.unnamed, lost.seq];
    return;
  }
  // Of a record that has been written since, a lost version tells nothing: it may be deleted by now.
  const stored = lost.isReplaced ? undefined : await writing.find(lost.collection, lost.id);
  if (stored !== undefined) writing.mark(stored);
}
async function missesAny(writing: Writing, damaged: DamagedRecord[]): Promise<boolean> {
  for (const lost of damaged) {
    if (lost.isReplaced) continue;
    if (lost.id === '') return true;
    const known = knownOf(writing.state, await writing.find(lost.collection, lost.id));
    if (known === undefined || known.hub < lost.seq) return true;
  }
  return false;
}

/** Removes what the hub once had and did not deliver in this reading. */
async function sweep(writing: Writing): Promise<void> {
  const { tx, state } = writing;
  if (state.round === 1) return;  // the first reading delivered all that is known
  const end = state.head;
  for (let place = 0; place < end; ) {
    const rows = await tx.feed(writing.name, place, kSweepChunk);
    for (const stored of rows) {
      place = stored.seq;
      const known = knownOf(state, stored);
      if (stored.deleted || known === undefined || known.round === state.round || stored.seq > end) continue;
      if (await isWaiting(tx, state, stored)) continue;
      if (state.unnamed.length > 0) {
        // It may be what the hub has lost: nothing is deleted here because of that.
        const mayBeLost = state.unnamed.includes(known.hub);
        if (mayBeLost) await offerCopy(writing, { ...stored, seq: known.hub, isReplaced: false });
        continue;
      }
      await writing.adopt({ ...stored, seq: known.hub, deleted: true, doc: '' }, stored);
    }
    if (rows.length < kSweepChunk) return;
  }
}
