// The hub's cursor, `<epoch>-<incarnation>.<seq>[.<purged>[.<known>]]`: see src/core/cursor.hpp of the hub. Programs
// store it and never parse it; the replicator has to, for it compares how far two of them are.

export interface Cursor {
  /** Empty for "from the beginning", which belongs to every history. */
  readonly epoch: string;
  readonly seq: number;
  /** The opening of the hub's store that made the newest change; empty if not known. */
  readonly incarnation: string;
  /** How far the reader has heard, if that is after `seq`. */
  readonly heardThrough: number;
  readonly text: string;
}

export const kBeginning: Cursor = { epoch: '', seq: 0, incarnation: '', heardThrough: 0, text: '0' };

const kPattern = /^([0-9A-Za-z]{1,48})(?:-([0-9a-f]{1,16}))?\.(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?$/;

/** Undefined for anything that is not a cursor. */
export function parseCursor(text: unknown): Cursor | undefined {
  if (text === '0' || text === '') return kBeginning;
  const parts = typeof text === 'string' ? kPattern.exec(text) : null;
  if (parts === null) return undefined;
  const [, epoch = '', incarnation = '', seq, , heard] = parts;
  if (heard !== undefined && incarnation === '') return undefined;
  return { epoch, incarnation, seq: Number(seq), heardThrough: Number(heard ?? 0), text: text as string };
}

export const knowsThrough = (cursor: Cursor): number => Math.max(cursor.seq, cursor.heardThrough);

/** Names the history: `<epoch>-<incarnation>`, or `<epoch>`. */
export const historyOf = (cursor: Cursor): string =>
  cursor.incarnation === '' ? cursor.epoch : `${cursor.epoch}-${cursor.incarnation}`;
