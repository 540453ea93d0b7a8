// A store in memory: for tests and scripts, and the reference for the others.
import type { Earlier, Entry, EntryRange, Note, Place, ReadTx, Row, Store, StoreErrors, WriteTx } from './store.js';

/** A table that is read in the order of its keys. */
class Table<T> {
  readonly keys: string[] = [];
  readonly #values = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#values.get(key);
  }
  set(key: string, value: T | undefined): void {
    const isThere = this.#values.has(key);
    if (value === undefined) {
      if (!isThere) return;
      this.#values.delete(key);
      this.keys.splice(this.#place(key), 1);
      return;
    }
    this.#values.set(key, value);
    if (!isThere) this.keys.splice(this.#place(key), 0, key);
  }
  /** Values whose keys lie between, both excluded. */
  range(after: string, before: string, limit: number, descending = false): T[] {
    const found: T[] = [];
    let i = descending ? this.#place(before) - 1 : this.#place(after);
    if (!descending && this.keys[i] === after) ++i;
    for (; found.length < limit; i += descending ? -1 : 1) {
      const key = this.keys[i];
      if (key === undefined || key <= after || key >= before) break;
      found.push(this.#values.get(key) as T);
    }
    return found;
  }
  count(after: string, before: string): number {
    const first = this.#place(after);
    return this.#place(before) - first - (this.keys[first] === after ? 1 : 0);
  }
  #place(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// Parts of keys have no NUL, so that a prefix with one sorts before all that it begins, and with \x01 behind.
const key = (...parts: (string | number)[]): string =>
  parts.map((part) => (typeof part === 'number' ? String(part).padStart(16, '0') : part)).join('\0');
const behind = (prefix: string): string => `${prefix}\x01`;

type Undo = () => void;

class MemoryTx implements WriteTx {
  readonly #undo: Undo[] = [];
  constructor(private readonly tables: Tables) {}

  async value(name: string): Promise<unknown> {
    return this.tables.values.get(name)?.value;
  }
  async find(space: string, collection: string, id: string): Promise<Row | undefined> {
    return copy(this.tables.rows.get(key(space, collection, id)));
  }
  async feed(space: string, after: number, limit: number): Promise<Row[]> {
    return this.#rows(this.tables.feed.range(key(space, after), behind(space), limit));
  }
  async own(space: string, after: number, limit: number): Promise<Row[]> {
    return this.#rows(this.tables.own.range(key(space, after), behind(space), limit));
  }
  async countOwn(space: string, after: number): Promise<number> {
    return this.tables.own.count(key(space, after), behind(space));
  }
  async scan(space: string, collection: string, after: string, limit: number): Promise<Row[]> {
    return this.tables.rows.range(key(space, collection, after), behind(key(space, collection)), limit).map(copy);
  }
  async gone(space: string, before: number, limit: number): Promise<Row[]> {
    return this.#rows(this.tables.gone.range(key(space, ''), key(space, before), limit));
  }
  async earlier(space: string, collection: string, id: string): Promise<Earlier[]> {
    const prefix = key(space, collection, id);
    return this.tables.earlier.range(prefix, behind(prefix), Infinity, true).map(copy);
  }
  async notes(space: string): Promise<Note[]> {
    return this.tables.notes.range(key(space, ''), behind(space), Infinity).map(copy);
  }
  async note(space: string, collection: string, id: string): Promise<Note | undefined> {
    return copy(this.tables.notes.get(key(space, collection, id)));
  }
  async entries(space: string, collection: string, field: string, options: EntryRange): Promise<Entry[]> {
    const { value, after, descending = false, limit } = options;
    const prefix = value === undefined ? key(space, collection, field) : key(space, collection, field, value);
    const edge = after && key(space, collection, field, after.value, after.id);
    const low = !descending && edge ? edge : key(prefix, '');
    const high = descending && edge ? edge : behind(prefix);
    return this.tables.entries.range(low, high, limit, descending).map(copy);
  }

  setValue(name: string, value: unknown): void {
    this.#set('values', name, { value: structuredClone(value) });
  }
  put(row: Row): void {
    const place = key(row.space, row.collection, row.id);
    this.#unlink(this.tables.rows.get(place));
    this.#set('rows', place, { ...row });
    this.#set('feed', key(row.space, row.seq), place);
    if (row.own !== undefined) this.#set('own', key(row.space, row.own), place);
    if (row.gone !== undefined) this.#set('gone', key(row.space, row.gone, row.collection, row.id), place);
  }
  remove(space: string, collection: string, id: string): void {
    const place = key(space, collection, id);
    this.#unlink(this.tables.rows.get(place));
    this.#set('rows', place, undefined);
  }
  putEarlier(version: Earlier): void {
    this.#set('earlier', key(version.space, version.collection, version.id, version.seq), { ...version });
  }
  removeEarlier(version: Earlier): void {
    this.#set('earlier', key(version.space, version.collection, version.id, version.seq), undefined);
  }
  putNote(note: Note): void {
    this.#set('notes', key(note.space, note.collection, note.id), { ...note });
  }
  removeNote(space: string, collection: string, id: string): void {
    this.#set('notes', key(space, collection, id), undefined);
  }
  putEntry(entry: Entry): void {
    this.#set('entries', key(entry.space, entry.collection, entry.field, entry.value, entry.id), { ...entry });
  }
  removeEntry(entry: Entry): void {
    this.#set('entries', key(entry.space, entry.collection, entry.field, entry.value, entry.id), undefined);
  }
  clear(): void {
    for (const name of Object.keys(this.tables) as (keyof Tables)[]) {
      for (const place of [...this.tables[name].keys]) this.#set(name, place, undefined);
    }
  }
  undo(): void {
    for (const step of this.#undo.reverse()) step();
  }

  #rows(places: string[]): Row[] {
    return places.map((place) => copy(this.tables.rows.get(place)) as Row);
  }
  #unlink(row: Row | undefined): void {
    if (row === undefined) return;
    this.#set('feed', key(row.space, row.seq), undefined);
    if (row.own !== undefined) this.#set('own', key(row.space, row.own), undefined);
    if (row.gone !== undefined) this.#set('gone', key(row.space, row.gone, row.collection, row.id), undefined);
  }
  #set(name: keyof Tables, place: string, value: unknown): void {
    const table = this.tables[name] as Table<unknown>;
    const before = table.get(place);
    this.#undo.push(() => table.set(place, before));
    table.set(place, value);
  }
}

/** Who changes what it was given changes nothing here. */
function copy<T>(value: T): T {
  return typeof value === 'object' && value !== null ? { ...value } : value;
}

function makeTables() {
  return {
    values: new Table<{ value: unknown }>(),
    rows: new Table<Row>(),
    feed: new Table<string>(),
    own: new Table<string>(),
    gone: new Table<string>(),
    earlier: new Table<Earlier>(),
    notes: new Table<Note>(),
    entries: new Table<Entry>(),
  };
}
type Tables = ReturnType<typeof makeTables>;

export class MemoryStore implements Store {
  readonly #tables = makeTables();
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  readonly sharedName = undefined;
  onLost: (() => void) | undefined;

  constructor(private readonly errors: StoreErrors) {}

  read<T>(body: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#enqueue(() => body(new MemoryTx(this.#tables)));
  }
  write<T>(body: (tx: WriteTx) => Promise<T>): Promise<T> {
    return this.#enqueue(async () => {
      const tx = new MemoryTx(this.#tables);
      try {
        return await body(tx);
      } catch (error) {
        tx.undo();
        throw error;
      }
    });
  }
  close(): void {
    this.#isClosed = true;
  }
  async remove(): Promise<void> {}
  place(): Place {
    return [];
  }
  #enqueue<T>(run: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(this.errors('closed', 'the local copy is closed'));
    const done = this.#last.then(run);
    this.#last = done.catch(() => undefined);  // whoever asked hears of it; the next one starts anew
    return done;
  }
}
