// What the verdicts of the hub do to the changes that a push carried.
import type { Cursor } from '../core/cursor.js';
import type { Row } from '../store/store.js';
import { noteAnswer } from './deliveries.js';
import { sameContent } from './known_versions.js';
import { noteRefused, type Batch, type BatchItem } from './outbox.js';
import { withKnown } from './space_state.js';
import { stampOf } from './stamps.js';
import { NotUnderstood, type PushAnswer, type Verdict } from './wire.js';
import type { Writing } from './writing.js';

export interface Settled {
  cursor: Cursor;
  needsPull: boolean;
  /** The batch was not settled to its end: send the rest again. */
  isPartial: boolean;
}

/** Settles the batch if the outbox still begins where it did. Throws NotUnderstood if the answer settles nothing. */
export async function settleBatch(writing: Writing, batch: Batch, answer: PushAnswer): Promise<Settled> {
  const { state } = writing;
  const settled: Settled = { cursor: state.cursor, needsPull: false, isPartial: false };
  // Another tab has settled some of it: what is left goes again.
  if (state.generation !== batch.generation || state.pushed !== batch.after) return { ...settled, isPartial: true };
  noteAnswer(writing, answer.cursor);
  const before = state.cursor.seq;
  const own = new Set<number>();
  let wasTakenBack = false;
  for (const [i, item] of batch.items.entries()) {
    const verdict = answer.verdicts[i] as Verdict;
    const stored = await writing.find(item.row.collection, item.row.id);
    const outcome = await settleOne(writing, item, verdict, stored);
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
}

/**
 * Undefined if it is settled. `unknown`: the answer is not enough. `takenBack`: the change was discarded while it was on its way, so what the hub
 * made of it has to be pulled.
 */
async function settleOne(writing: Writing, { row: sent }: BatchItem, verdict: Verdict,
  stored: Row | undefined): Promise<'unknown' | 'takenBack' | undefined> {
  const { tx, state } = writing;
  const isUnchanged = stored?.seq === sent.seq;
  if (verdict.status === 'refused') {
    // What came from the hub and is only offered again is the hub's own affair.
    if (isUnchanged && stored.own !== undefined) {
      await noteRefused(tx, sent, verdict.code, verdict.detail, stampOf(writing.now()));
    }
    return undefined;
  }
  if (stored === undefined || (!isUnchanged && stored.own === undefined)) return 'takenBack';
  const tookIt = verdict.status === 'applied' || verdict.status === 'noop';
  const { version } = verdict;
  if (!tookIt && version === undefined) return 'unknown';
  tx.removeNote(writing.name, sent.collection, sent.id);
  if (version === undefined) {
    const isOtherStamp = verdict.at !== undefined && verdict.at !== stored.at;
    if (isUnchanged && isOtherStamp) {
      await writing.adopt({ ...stored, seq: verdict.seq, at: verdict.at as string }, stored);
      return undefined;
    }
    tx.put(withKnown(state, stored, verdict.seq, sent.seq));
    await writing.removeEarlier(stored, sent.seq);
    return undefined;
  }
  // A newer edit waits already: the hub will decide about that one.
  if (!isUnchanged) return undefined;
  if (verdict.status === 'stale' && !sameContent(stored, version)) {
    writing.losses.push([stored.collection, stored.id]);
  }
  await writing.adopt(version, stored);
  return undefined;
}
