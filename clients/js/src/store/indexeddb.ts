// The store of browsers. One database per account and name; a transaction is one of IndexedDB over all its tables, with
// `durability: 'strict'`, so that what was acknowledged survives a crash of the machine.
import { randomId } from '../http/call.js';
import type { Earlier, Entry, EntryRange, Note, Place, ReadTx, Row, Store, WriteTx } from './store.js';
import { storeError } from './store_error.js';

const kTables = ['values', 'rows', 'earlier', 'notes', 'entries'] as const;
type TableName = (typeof kTables)[number];

export type UpgradeStep = (database: IDBDatabase, transaction: IDBTransaction) => void;

/** Step n makes schema n of schema n - 1. A step that was released never changes. */
export const kIndexedDbSteps: readonly UpgradeStep[] = [
  (database) => {
    database.createObjectStore('values');
    const rows = database.createObjectStore('rows', { keyPath: ['space', 'collection', 'id'] });
    rows.createIndex('feed', ['space', 'seq'], { unique: true });
    // Rows without the member are not in these.
    rows.createIndex('own', ['space', 'own'], { unique: true });
    rows.createIndex('gone', ['space', 'gone']);
    database.createObjectStore('earlier', { keyPath: ['space', 'collection', 'id', 'seq'] });
    database.createObjectStore('notes', { keyPath: ['space', 'collection', 'id'] });
    database.createObjectStore('entries', { keyPath: ['space', 'collection', 'field', 'value', 'id'] });
  },
];

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function translate(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  switch (error.name) {
    case 'QuotaExceededError': return storeError('store_full', 'no room is left', error);
    case 'InvalidStateError': return storeError('closed', 'the local copy is closed', error);
    case 'VersionError': return storeError('store_too_new', 'it is of a newer version', error);
    default: return storeError('store_failed', `the local copy failed: ${error.message}`, error);
  }
}

/** Arrays sort behind all texts and numbers, so [prefix, []] is behind every key that begins with the prefix. */
const after = (prefix: (string | number)[], last?: string | number): IDBKeyRange =>
  IDBKeyRange.bound(last === undefined ? prefix : [...prefix, last], [...prefix, []], last !== undefined, true);

class IndexedTx implements WriteTx {
  constructor(private readonly transaction: IDBTransaction) {}

  value(name: string): Promise<unknown> {
    return settled(this.#table('values').get(name));
  }
  find(space: string, collection: string, id: string): Promise<Row | undefined> {
    return settled(this.#table('rows').get([space, collection, id]));
  }
  feed(space: string, last: number, limit: number): Promise<Row[]> {
    return settled(this.#table('rows').index('feed').getAll(after([space], last), limit));
  }
  own(space: string, last: number, limit: number): Promise<Row[]> {
    return settled(this.#table('rows').index('own').getAll(after([space], last), limit));
  }
  countOwn(space: string, last: number): Promise<number> {
    return settled(this.#table('rows').index('own').count(after([space], last)));
  }
  scan(space: string, collection: string, last: string, limit: number): Promise<Row[]> {
    return settled(this.#table('rows').getAll(after([space, collection], last), limit));
  }
  gone(space: string, before: number, limit: number): Promise<Row[]> {
    return settled(this.#table('rows').index('gone').getAll(
      IDBKeyRange.bound([space], [space, before], false, true), limit));
  }
  async earlier(space: string, collection: string, id: string): Promise<Earlier[]> {
    return (await settled<Earlier[]>(this.#table('earlier').getAll(after([space, collection, id])))).reverse();
  }
  notes(space: string): Promise<Note[]> {
    return settled(this.#table('notes').getAll(after([space])));
  }
  note(space: string, collection: string, id: string): Promise<Note | undefined> {
    return settled(this.#table('notes').get([space, collection, id]));
  }
  async entries(space: string, collection: string, field: string, options: EntryRange): Promise<Entry[]> {
    const { value, after: edge, descending = false, limit } = options;
    const prefix = value === undefined ? [space, collection, field] : [space, collection, field, value];
    const place = edge && [space, collection, field, edge.value, edge.id];
    const range = !place ? after(prefix)
      : descending ? IDBKeyRange.bound(prefix, place, false, true)
        : IDBKeyRange.bound(place, [...prefix, []], true, true);
    if (!descending) return settled(this.#table('entries').getAll(range, limit));
    const found: Entry[] = [];
    const request = this.#table('entries').openCursor(range, 'prev');
    for (let cursor = await settled(request); cursor && found.length < limit; cursor = await settled(request)) {
      found.push(cursor.value as Entry);
      cursor.continue();
    }
    return found;
  }

  // A request that fails aborts the transaction, so nobody has to wait for these.
  setValue(name: string, value: unknown): void {
    this.#table('values').put(value, name);
  }
  put(row: Row): void {
    this.#table('rows').put(row);
  }
  remove(space: string, collection: string, id: string): void {
    this.#table('rows').delete([space, collection, id]);
  }
  putEarlier(version: Earlier): void {
    this.#table('earlier').put(version);
  }
  removeEarlier(version: Earlier): void {
    this.#table('earlier').delete([version.space, version.collection, version.id, version.seq]);
  }
  putNote(note: Note): void {
    this.#table('notes').put(note);
  }
  removeNote(space: string, collection: string, id: string): void {
    this.#table('notes').delete([space, collection, id]);
  }
  putEntry(entry: Entry): void {
    this.#table('entries').put(entry);
  }
  removeEntry(entry: Entry): void {
    this.#table('entries').delete([entry.space, entry.collection, entry.field, entry.value, entry.id]);
  }
  clear(): void {
    for (const name of kTables) this.#table(name).clear();
  }

  #table(name: TableName): IDBObjectStore {
    return this.transaction.objectStore(name);
  }
}

export class IndexedDbStore implements Store {
  onLost: (() => void) | undefined;

  private constructor(private readonly database: IDBDatabase, readonly sharedName: string) {
    // Somebody deletes the database, or a newer library wants to move it: this tab must let go.
    database.onversionchange = database.onclose = () => {
      database.close();
      this.onLost?.();
    };
  }

  /** Moves a store of an older schema forward, in one transaction. */
  static async open(name: string, steps = kIndexedDbSteps): Promise<IndexedDbStore> {
    const request = indexedDB.open(name, steps.length);
    request.onupgradeneeded = ({ oldVersion }) => {
      for (const step of steps.slice(oldVersion)) step(request.result, request.transaction as IDBTransaction);
    };
    try {
      return new IndexedDbStore(await settled(request), name);
    } catch (error) {
      throw translate(error);
    }
  }

  read<T>(body: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#run('readonly', body);
  }
  write<T>(body: (tx: WriteTx) => Promise<T>): Promise<T> {
    return this.#run('readwrite', body);
  }
  close(): void {
    this.database.close();
  }
  /** Once every tab has let go of it. */
  async remove(): Promise<void> {
    await settled(indexedDB.deleteDatabase(this.sharedName));
    try {
      delete localStorage[this.sharedName];
    } catch {
      // As in place().
    }
  }
  place(): Place {
    try {
      return [localStorage[this.sharedName] ??= randomId()];
    } catch {
      return [];  // in a worker, or in a page that may not store anything there
    }
  }

  async #run<T>(mode: IDBTransactionMode, body: (tx: IndexedTx) => Promise<T>): Promise<T> {
    let transaction: IDBTransaction | undefined;
    try {
      const begun = transaction = this.database.transaction([...kTables], mode, { durability: 'strict' });
      const done = new Promise<void>((resolve, reject) => {
        begun.oncomplete = () => resolve();
        begun.onabort = () => reject(begun.error ?? new DOMException('aborted'));
      });
      done.catch(() => undefined);  // if the body throws, its error says more
      const result = await body(new IndexedTx(begun));
      await done;
      return result;
    } catch (error) {
      try {
        transaction?.abort();
      } catch {
        // It has ended by itself, for the same error.
      }
      throw translate(transaction?.error ?? error);
    }
  }
}
