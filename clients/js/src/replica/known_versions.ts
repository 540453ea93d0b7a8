// What an answer of the hub says about a record while edits of it wait here.
import type { Earlier, ReadTx, Row, WriteTx } from '../store/store.js';
import { knownOf, withKnown, type SpaceState } from './space_state.js';
import type { HubVersion } from './wire.js';

type Version = Pick<Row, 'deleted' | 'doc'>;

export const sameContent = (stored: Version, version: Version): boolean =>
  stored.deleted === version.deleted && (version.deleted || stored.doc === version.doc);

/** The versions of this device that `pending` replaced and the hub has not acknowledged, newest first. */
async function listOwnEarlier(tx: ReadTx, state: SpaceState, pending: Row): Promise<Earlier[]> {
  const versions = await tx.earlier(pending.space, pending.collection, pending.id);
  const known = knownOf(state, pending);
  const end = versions.findIndex((one) => !one.isOwn || (known !== undefined && one.seq <= known.local));
  return end < 0 ? versions : versions.slice(0, end);
}

/**
 * The hub delivers `delivered`, and `pending` waits. True if `pending` waits no more: the hub has it. Else the hub
 * decides when it is pushed; if it was made of the very version that is delivered, the push says so.
 */
export async function settleWaiting(tx: WriteTx, state: SpaceState, pending: Row,
  delivered: HubVersion): Promise<boolean> {
  const versions = await listOwnEarlier(tx, state, pending);
  const known = knownOf(state, pending);
  const note = await tx.note(pending.space, pending.collection, pending.id);
  const mayBeAtHub = ({ seq }: { seq: number }): boolean =>
    seq <= state.sentThrough && !(note?.seq === seq && note.isOffered === false);
  // The hub may have given it another stamp. Deletions are all alike: of those only one that it lowered, if any.
  const isDelivered = (one: Earlier): boolean =>
    (!delivered.deleted || delivered.at <= one.at) && mayBeAtHub(one) && sameContent(one, delivered);
  const same = sameContent(pending, delivered);
  // While the hub may have a version in between, what looks like the pending one may be what that replaced.
  const hasSent = versions.some(mayBeAtHub);
  if (known?.hub === delivered.seq) return same && !hasSent;
  const own = versions.find(isDelivered);
  if (own !== undefined) {
    tx.put(withKnown(state, pending, delivered.seq, own.seq));
    return false;
  }
  if (!same || mayBeAtHub(pending) || !hasSent) return same;
  tx.put(withKnown(state, pending, delivered.seq, known?.local ?? 0));
  return false;
}
