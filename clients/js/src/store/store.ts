// The contract of a store: the local copy of one database. `memory` is the reference; `indexeddb` and `sqlite` stay.
//
// - A transaction sees one state, its writes take effect together or not at all, and those of writing transactions are
//   one after the other, over all tabs.
// - `write` resolves when the changes are durable.
// - A body awaits nothing but the calls of its transaction: the store of a browser commits when nothing is asked of it.
// - A body throws to undo everything; the error comes out of `write`.
// - Texts compare by UTF-16 code units.

export interface Base {
  /** Of the space when this was learned: what an earlier generation knew counts no more. */
  generation: number;
  /** The hub's version that later edits are made of. */
  hub: number;
  /** The same version in this feed. */
  local: number;
  /** The reading from the beginning that delivered the record last. */
  round: number;
}

/** The newest version of a record. */
export interface Row {
  space: string;
  collection: string;
  id: string;
  /** Place in the feed of the space. */
  seq: number;
  /** RFC 3339 UTC with six digits. */
  at: string;
  /** Equal to seq if the version was made here; absent if it came from the hub. */
  own?: number;
  deleted: boolean;
  /** Text; empty if deleted. */
  doc: string;
  base?: Base;
  /** Of a deletion: when it was stored, in milliseconds. */
  gone?: number;
}

/** A version that `Row` replaced, kept while the hub has not acknowledged what replaced it. */
export interface Earlier {
  space: string;
  collection: string;
  id: string;
  seq: number;
  at: string;
  isOwn: boolean;
  deleted: boolean;
  doc: string;
}

/** A change that the hub refused. Counts as long as the record's seq is this one. */
export interface Note {
  space: string;
  collection: string;
  id: string;
  seq: number;
  offers: number;
  code: string;
  detail: string;
  since: string;
  /** It was offered again since: the hub may have it now. */
  isOffered?: boolean;
}

/** An entry of a declared index. */
export interface Entry {
  space: string;
  collection: string;
  field: string;
  /** Order-preserving text of the value. */
  value: string;
  id: string;
}

export interface ReadTx {
  /** JSON values by name. */
  value(name: string): Promise<unknown>;
  find(space: string, collection: string, id: string): Promise<Row | undefined>;
  /** Rows with a greater seq, by seq. */
  feed(space: string, after: number, limit: number): Promise<Row[]>;
  /** The same of those that were made here. */
  own(space: string, after: number, limit: number): Promise<Row[]>;
  countOwn(space: string, after: number): Promise<number>;
  /** Rows of a collection with a greater id, by id. */
  scan(space: string, collection: string, after: string, limit: number): Promise<Row[]>;
  /** Deletions that were stored before a time, oldest first. */
  gone(space: string, before: number, limit: number): Promise<Row[]>;
  /** Newest first. */
  earlier(space: string, collection: string, id: string): Promise<Earlier[]>;
  notes(space: string): Promise<Note[]>;
  note(space: string, collection: string, id: string): Promise<Note | undefined>;
  /** Entries of a field in order of value and id, behind or before `after`; with `value`: only those that have it. */
  entries(space: string, collection: string, field: string, options: EntryRange): Promise<Entry[]>;
}

export interface EntryRange {
  value?: string | undefined;
  after?: { value: string; id: string } | undefined;
  descending?: boolean;
  limit: number;
}

export interface WriteTx extends ReadTx {
  setValue(name: string, value: unknown): void;
  /** Replaces the row of that record. */
  put(row: Row): void;
  remove(space: string, collection: string, id: string): void;
  putEarlier(version: Earlier): void;
  removeEarlier(version: Earlier): void;
  putNote(note: Note): void;
  removeNote(space: string, collection: string, id: string): void;
  putEntry(entry: Entry): void;
  removeEntry(entry: Entry): void;
  /** Everything, values included. */
  clear(): void;
}

export type StoreFault = 'closed' | 'no_store' | 'store_full' | 'store_too_new' | 'store_failed';
/** Makes an error. Stores that are loaded alone get it from who opens them. */
export type StoreErrors = (code: StoreFault, detail: string, cause?: unknown) => Error;

/** Opens a store that is not part of the main entry. */
export type StoreSource = (errors: StoreErrors) => Promise<Store>;

/**
 * Where a store is, as it is kept in it from now on, and as it was kept, if that is something else: a store that has
 * another place was copied or restored. Empty if it cannot be told.
 */
export type Place = [now?: string, before?: string];

export interface Store {
  read<T>(body: (tx: ReadTx) => Promise<T>): Promise<T>;
  write<T>(body: (tx: WriteTx) => Promise<T>): Promise<T>;
  /** Calls after this fail. */
  close(): void;
  /** Deletes what is stored; the store is closed. */
  remove(): Promise<void>;
  /** To be called once for each opening, in a writing transaction. */
  place(): Place;
  /** The name by which other tabs open it too. */
  readonly sharedName: string | undefined;
  /** Calls back if the store was closed from outside, because it was deleted. */
  onLost: (() => void) | undefined;
}
