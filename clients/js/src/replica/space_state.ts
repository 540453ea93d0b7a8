// How far a space is in step with the hub: one value of the store, written in the transaction that it belongs to.
import { kBeginning, parseCursor, type Cursor } from '../core/cursor.js';
import type { Base, ReadTx, Row, WriteTx } from '../store/store.js';

export interface SpaceState {
  /** The newest place in the feed of the space. */
  head: number;
  /** Rises when what is known of the hub's versions becomes worthless. */
  generation: number;
  /** The history of the hub that this generation knows of; empty until it has said one. */
  epoch: string;
  cursor: Cursor;
  /** The newest of the hub's answers: what it has acknowledged counts, though it was not pulled. */
  known: Cursor;
  /** The outbox begins behind this. */
  pushed: number;
  /** Everything up to here is offered, wherever it came from. */
  offerThrough: number;
  /** Versions up to here that were made here and stood in the feed then may be at the hub without an answer. */
  sentThrough: number;
  /** Reading from the beginning: what the hub acknowledged and does not deliver was deleted, and that was purged. */
  readsFromStart: boolean;
  /** Counts these readings; records carry the one that delivered them. */
  round: number;
  /** While reading from the beginning: damaged records of the hub of which it cannot say whose they are. */
  unnamed: number[];
  /** The opening of the hub's store that could not read a record which is missing here; empty if there was none. */
  missedIn: string;
  /** When something was last exchanged; 0 if never. */
  exchangedAt: number;
}

interface StoredState extends Omit<SpaceState, 'cursor' | 'known'> {
  cursor: string;
  known: string;
}

const valueName = (space: string): string => `space/${space}`;

export const hasState = async (tx: ReadTx, space: string): Promise<boolean> =>
  await tx.value(valueName(space)) !== undefined;

/** That of a new space if there is none yet. */
export async function readState(tx: ReadTx, space: string): Promise<SpaceState> {
  const stored = await tx.value(valueName(space)) as StoredState | undefined;
  if (stored !== undefined) {
    return {
      ...stored,
      cursor: parseCursor(stored.cursor) ?? kBeginning,
      known: parseCursor(stored.known) ?? kBeginning,
    };
  }
  return {
    head: 0, generation: 1, epoch: '', cursor: kBeginning, known: kBeginning, pushed: 0, offerThrough: 0,
    sentThrough: 0, readsFromStart: true, round: 1, unnamed: [], missedIn: '', exchangedAt: 0,
  };
}

export function putState(tx: WriteTx, space: string, state: SpaceState): void {
  tx.setValue(valueName(space), { ...state, cursor: state.cursor.text, known: state.known.text } satisfies StoredState);
}

/** What the hub has of the record, if that is known in this generation. */
export const knownOf = (state: SpaceState, row: Row | undefined): Base | undefined =>
  row?.base?.generation === state.generation ? row.base : undefined;

/** `row` with that of the hub as the version that it was made of. */
export const withKnown = (state: SpaceState, row: Row, hub: number, local: number): Row =>
  ({ ...row, base: { generation: state.generation, hub, local, round: state.round } });
