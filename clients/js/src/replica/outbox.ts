// What waits for the hub. The outbox is the feed itself: the versions behind SpaceState.pushed that were made here, and
// beside them what was refused and still stands. What changes while its push is on the way has a later place in the
// feed, so an answer can never clear a newer edit.
import { bytesOf } from '../core/doc_text.js';
import type { Note, ReadTx, Row, WriteTx } from '../store/store.js';
import { knownOf, type SpaceState } from './space_state.js';

/** A change that was refused so often is a dead letter: kept, shown, and offered again only when asked for. */
export const kOffersMax = 5;
const kChunk = 100;

export interface Limits {
  /** Of one push. */
  opsMax: number;
  bytesMax: number;
  /** Of one pull. */
  pageMax: number;
}
export const kLimits: Limits = { opsMax: 500, bytesMax: 4 * 1024 * 1024, pageMax: 2000 };

export interface BatchItem {
  row: Row;
  /** The hub's version that it was made of; 0 if the hub is not known to have the record. */
  base: number;
  wasRefused: boolean;
}

export interface Batch {
  generation: number;
  /** The outbox begins behind this, */
  after: number;
  /** and all of it up to here is in the batch, or came from the hub. */
  through: number;
  items: BatchItem[];
  more: boolean;
}

/** Whether a version of the feed is for the hub. */
export const holds = (state: SpaceState, row: Row): boolean =>
  row.seq > state.pushed && (row.own !== undefined || row.seq <= state.offerThrough);

/** True if the hub has not acknowledged the version, dead letters included. */
export async function isWaiting(tx: ReadTx, state: SpaceState, row: Row): Promise<boolean> {
  if (holds(state, row)) return true;
  if (row.seq > state.pushed || row.own === undefined) return false;
  return (await tx.note(row.space, row.collection, row.id))?.seq === row.seq;
}

/** The record as it was refused; undefined if it is another one now. */
export async function refusedRow(tx: ReadTx, note: Note): Promise<Row | undefined> {
  const row = await tx.find(note.space, note.collection, note.id);
  return row?.seq === note.seq ? row : undefined;
}

/** What was refused and is not in the feed behind `pushed` again. */
async function listRefused(tx: ReadTx, space: string, state: SpaceState): Promise<{ row: Row; note: Note }[]> {
  const refused = [];
  for (const note of await tx.notes(space)) {
    const row = note.seq <= state.pushed ? await refusedRow(tx, note) : undefined;
    if (row !== undefined) refused.push({ row, note });
  }
  return refused;
}

/** The waiting changes that were made here, oldest first; refused ones with their note first. */
export async function listWaiting(tx: ReadTx, space: string, state: SpaceState,
  limit: number): Promise<{ row: Row; note?: Note }[]> {
  const own = await tx.own(space, state.pushed, limit);
  return [...await listRefused(tx, space, state), ...own.map((row) => ({ row }))];
}

export const countWaiting = async (tx: ReadTx, space: string, state: SpaceState): Promise<number> =>
  (await listRefused(tx, space, state)).length + await tx.countOwn(space, state.pushed);

/**
 * What to push now; no items if nothing waits. What it carries is noted in `state` as sent, and has to be stored before
 * the request is made.
 */
export async function nextBatch(tx: WriteTx, space: string, state: SpaceState, withRefused: boolean, opsMax: number,
  bytesMax: number): Promise<Batch> {
  const batch: Batch = { generation: state.generation, after: state.pushed, through: state.pushed, items: [], more: false };
  let bytes = 0;
  const add = (row: Row, wasRefused: boolean): void => {
    bytes += bytesOf(row.doc);
    batch.items.push({ row, base: knownOf(state, row)?.hub ?? 0, wasRefused });
  };
  if (withRefused) {
    for (const { row, note } of await listRefused(tx, space, state)) {
      if (note.offers >= kOffersMax || batch.items.length >= opsMax || bytes > bytesMax) continue;
      add(row, true);
      tx.putNote({ ...note, isOffered: true });
    }
  }
  reading: for (;;) {
    const rows = await tx.feed(space, batch.through, kChunk);
    for (const row of rows) {
      if (holds(state, row)) {
        const isFull = batch.items.length >= opsMax || bytes + bytesOf(row.doc) > bytesMax;
        batch.more = isFull && batch.items.length > 0;
        if (batch.more) break reading;
        add(row, false);
      }
      batch.through = row.seq;
    }
    if (rows.length < kChunk) break;
  }
  if (!batch.more) batch.through = state.head;
  // Nothing waits up to here: what comes from the hub need not be looked at again.
  if (batch.items.length === 0) state.pushed = batch.through;
  else state.sentThrough = Math.max(state.sentThrough, batch.through);
  return batch;
}

export async function noteRefused(tx: WriteTx, row: Row, code: string, detail: string, now: string): Promise<void> {
  const { space, collection, id, seq } = row;
  const before = await tx.note(space, collection, id);
  const isSame = before?.seq === seq;
  // The hub does not have it.
  if (before?.isOffered === false && !isSame) tx.removeEarlier({ ...row, seq: before.seq, isOwn: true });
  const offers = (isSame ? before.offers : 0) + 1;
  tx.putNote({ space, collection, id, seq, offers, code, detail, since: before?.since ?? now, isOffered: false });
}
