// The store of Node: one SQLite file with a write-ahead log, synced at each commit. Transactions of one program follow
// each other; those of several programs on one file do, too, since each writing one locks the file.
//
// Texts that are compared are stored as UTF-16 with the high byte first: SQLite compares bytes, and these sort as the
// contract says. Half of a surrogate pair survives in them, which UTF-8 has no bytes for.
import type {
  Earlier, Entry, EntryRange, Note, Place, ReadTx, Row, Store, StoreErrors, StoreSource, WriteTx,
} from './store.js';

type Value = string | number | null | Uint8Array;
type Columns = Record<string, Value>;

interface Statement {
  get(...values: Value[]): Columns | undefined;
  all(...values: Value[]): Columns[];
  run(...values: Value[]): unknown;
}
interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}
interface SqliteModule {
  DatabaseSync: new (file: string) => Connection;
}
interface FileModule {
  statSync(file: string): { ino: number };
  readFileSync(file: string, encoding: 'utf8'): string;
  writeFileSync(file: string, text: string): void;
  rmSync(file: string, options: { force: boolean }): void;
}
interface Turns {
  setImmediate(callback: () => void): void;
}
/** Of Node, which this library is compiled without. */
const builtin = <Module>(name: string): Promise<Module> => import(`node:${name}`) as Promise<Module>;

/** Statement n makes schema n of schema n - 1. A step that was released never changes. */
export const kSqliteSteps: readonly string[] = [`
  create table "values"(name text primary key, value text not null) strict, without rowid;
  create table rows(space text not null, collection text not null, id blob not null, seq integer not null,
    at text not null, own integer, deleted integer not null, doc text not null, base text, gone integer,
    primary key(space, collection, id)) strict, without rowid;
  create unique index feed on rows(space, seq);
  create unique index own on rows(space, own) where own is not null;
  create index gone on rows(space, gone) where gone is not null;
  create table earlier(space text not null, collection text not null, id blob not null, seq integer not null,
    at text not null, is_own integer not null, deleted integer not null, doc text not null,
    primary key(space, collection, id, seq)) strict, without rowid;
  create table notes(space text not null, collection text not null, id blob not null, seq integer not null,
    offers integer not null, code text not null, detail text not null, since text not null,
    primary key(space, collection, id)) strict, without rowid;
  create table entries(space text not null, collection text not null, field text not null, value blob not null,
    id blob not null, primary key(space, collection, field, value, id)) strict, without rowid`];

/** Another program writes: its transactions are short. */
const kBusyMs = 10_000;
const kBusyWaitMs = 3;
const kBusy = 5;
const kFull = 13;

/** SQLite's own wait would stop the event loop, in which the transaction that it waits for may be running. */
async function whenFree<T>(work: () => T): Promise<T> {
  for (const end = Date.now() + kBusyMs; ; ) {
    try {
      return work();
    } catch (error) {
      if (faultOf(error) !== kBusy || Date.now() > end) throw error;
      await new Promise((resolve) => { setTimeout(resolve, kBusyWaitMs); });
    }
  }
}
/** SQLite's number of what went wrong; undefined if it is no error of SQLite. */
function faultOf(error: unknown): number | undefined {
  const { code, errcode } = error as { code?: string; errcode?: number };
  return code === 'ERR_SQLITE_ERROR' ? (errcode ?? 0) % 256 : undefined;
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit >> 8;
    bytes[2 * i + 1] = unit & 0xff;
  }
  return bytes;
}
function textOf(value: Value | undefined): string {
  const bytes = value as Uint8Array;
  let text = '';
  for (let i = 0; i < bytes.length; i += 2) {
    text += String.fromCharCode((bytes[i] as number) << 8 | bytes[i + 1] as number);
  }
  return text;
}

function rowOf(columns: Columns): Row {
  const { space, collection, seq, at, doc } = columns as unknown as Row;
  const { own, base, gone } = columns;
  const row: Row = { space, collection, id: textOf(columns['id']), seq, at, deleted: columns['deleted'] === 1, doc };
  if (own !== null) row.own = own as number;
  if (base !== null) row.base = JSON.parse(base as string);
  if (gone !== null) row.gone = gone as number;
  return row;
}
function earlierOf(columns: Columns): Earlier {
  const { space, collection, seq, at, doc } = columns as unknown as Earlier;
  return { space, collection, id: textOf(columns['id']), seq, at, isOwn: columns['is_own'] === 1,
    deleted: columns['deleted'] === 1, doc };
}
function noteOf(columns: Columns): Note {
  const { space, collection, seq, offers, code, detail, since } = columns as unknown as Note;
  return { space, collection, id: textOf(columns['id']), seq, offers, code, detail, since };
}

class SqliteTx implements WriteTx {
  /** `statement` prepares each text once. */
  constructor(private readonly statement: (sql: string) => Statement) {}

  async value(name: string): Promise<unknown> {
    const found = this.statement('select value from "values" where name = ?').get(name);
    return found && JSON.parse(found['value'] as string);
  }
  async find(space: string, collection: string, id: string): Promise<Row | undefined> {
    const found = this.statement('select * from rows where space = ? and collection = ? and id = ?')
      .get(space, collection, bytesOf(id));
    return found && rowOf(found);
  }
  async feed(space: string, after: number, limit: number): Promise<Row[]> {
    return this.statement('select * from rows where space = ? and seq > ? order by seq limit ?')
      .all(space, after, limit).map(rowOf);
  }
  async own(space: string, after: number, limit: number): Promise<Row[]> {
    return this.statement('select * from rows where space = ? and own > ? order by own limit ?')
      .all(space, after, limit).map(rowOf);
  }
  async countOwn(space: string, after: number): Promise<number> {
    const found = this.statement('select count(*) as count from rows where space = ? and own > ?').get(space, after);
    return found?.['count'] as number;
  }
  async scan(space: string, collection: string, after: string, limit: number): Promise<Row[]> {
    return this.statement('select * from rows where space = ? and collection = ? and id > ? order by id limit ?')
      .all(space, collection, bytesOf(after), limit).map(rowOf);
  }
  async gone(space: string, before: number, limit: number): Promise<Row[]> {
    return this.statement('select * from rows where space = ? and gone < ? order by gone limit ?')
      .all(space, before, limit).map(rowOf);
  }
  async earlier(space: string, collection: string, id: string): Promise<Earlier[]> {
    return this.statement('select * from earlier where space = ? and collection = ? and id = ? order by seq desc')
      .all(space, collection, bytesOf(id)).map(earlierOf);
  }
  async notes(space: string): Promise<Note[]> {
    return this.statement('select * from notes where space = ? order by collection, id').all(space).map(noteOf);
  }
  async note(space: string, collection: string, id: string): Promise<Note | undefined> {
    const found = this.statement('select * from notes where space = ? and collection = ? and id = ?')
      .get(space, collection, bytesOf(id));
    return found && noteOf(found);
  }
  async entries(space: string, collection: string, field: string, options: EntryRange): Promise<Entry[]> {
    const { value, after, descending = false, limit } = options;
    const [order, side] = descending ? ['desc', '<'] : ['asc', '>'];
    const values: Value[] = [space, collection, field];
    let sql = 'select value, id from entries where space = ? and collection = ? and field = ?';
    if (value !== undefined) {
      sql += ' and value = ?';
      values.push(bytesOf(value));
    }
    if (after !== undefined) {
      sql += ` and (value, id) ${side} (?, ?)`;
      values.push(bytesOf(after.value), bytesOf(after.id));
    }
    const found = this.statement(`${sql} order by value ${order}, id ${order} limit ?`).all(...values, limit);
    return found.map((one) => ({ space, collection, field, value: textOf(one['value']), id: textOf(one['id']) }));
  }

  setValue(name: string, value: unknown): void {
    this.statement('insert or replace into "values" values(?, ?)').run(name, JSON.stringify(value));
  }
  put({ space, collection, id, seq, at, own, deleted, doc, base, gone }: Row): void {
    // Not "insert or replace": that would also remove another record with this place in the feed.
    this.statement(`insert into rows values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict(space, collection, id) do update set
      seq = excluded.seq, at = excluded.at, own = excluded.own, deleted = excluded.deleted, doc = excluded.doc,
      base = excluded.base, gone = excluded.gone`).run(space, collection, bytesOf(id), seq, at, own ?? null,
      Number(deleted), doc, base === undefined ? null : JSON.stringify(base), gone ?? null);
  }
  remove(space: string, collection: string, id: string): void {
    this.statement('delete from rows where space = ? and collection = ? and id = ?').run(space, collection, bytesOf(id));
  }
  putEarlier({ space, collection, id, seq, at, isOwn, deleted, doc }: Earlier): void {
    this.statement('insert or replace into earlier values(?, ?, ?, ?, ?, ?, ?, ?)')
      .run(space, collection, bytesOf(id), seq, at, Number(isOwn), Number(deleted), doc);
  }
  removeEarlier({ space, collection, id, seq }: Earlier): void {
    this.statement('delete from earlier where space = ? and collection = ? and id = ? and seq = ?')
      .run(space, collection, bytesOf(id), seq);
  }
  putNote({ space, collection, id, seq, offers, code, detail, since }: Note): void {
    this.statement('insert or replace into notes values(?, ?, ?, ?, ?, ?, ?, ?)')
      .run(space, collection, bytesOf(id), seq, offers, code, detail, since);
  }
  removeNote(space: string, collection: string, id: string): void {
    this.statement('delete from notes where space = ? and collection = ? and id = ?').run(space, collection, bytesOf(id));
  }
  putEntry({ space, collection, field, value, id }: Entry): void {
    this.statement('insert or replace into entries values(?, ?, ?, ?, ?)')
      .run(space, collection, field, bytesOf(value), bytesOf(id));
  }
  removeEntry({ space, collection, field, value, id }: Entry): void {
    this.statement('delete from entries where space = ? and collection = ? and field = ? and value = ? and id = ?')
      .run(space, collection, field, bytesOf(value), bytesOf(id));
  }
  clear(): void {
    for (const table of ['"values"', 'rows', 'earlier', 'notes', 'entries']) this.statement(`delete from ${table}`).run();
  }
}

export class SqliteStore implements Store {
  readonly sharedName = undefined;
  onLost: (() => void) | undefined;
  readonly #statements = new Map<string, Statement>();
  readonly #tx: SqliteTx;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(private readonly connection: Connection, private readonly file: string,
    private readonly files: FileModule, private readonly errors: StoreErrors) {
    this.#tx = new SqliteTx((sql) => this.#prepare(sql));
  }

  /** Moves a store of an older schema forward, in one transaction. `errors` makes what this and all calls fail with. */
  static async open(file: string, errors: StoreErrors, steps = kSqliteSteps): Promise<SqliteStore> {
    let sqlite: SqliteModule;
    try {
      sqlite = await builtin<SqliteModule>('sqlite');
    } catch (error) {
      throw errors('no_store', 'this Node has no SQLite: use Node 22.13 or later, the store `memory`, or a `syncline ' +
        'node` with the entry `http`', error);
    }
    const files = await builtin<FileModule>('fs');
    let connection: Connection | undefined;
    try {
      const opened = connection = new sqlite.DatabaseSync(file);
      await whenFree(() => opened.exec('pragma journal_mode = wal; pragma synchronous = full'));
      await whenFree(() => opened.exec('begin immediate'));
      upgrade(opened, steps, errors);
      return new SqliteStore(opened, file, files, errors);
    } catch (error) {
      connection?.close();
      throw translate(error, errors);
    }
  }

  read<T>(body: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#enqueue('begin', body);
  }
  write<T>(body: (tx: WriteTx) => Promise<T>): Promise<T> {
    return this.#enqueue('begin immediate', body);
  }
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // What is on its way ends first.
    void this.#last.then(() => this.connection.close());
  }
  async remove(): Promise<void> {
    await this.#last;
    for (const end of ['', '-wal', '-shm', '-place']) this.files.rmSync(`${this.file}${end}`, { force: true });
  }
  /** A copy of the file has another inode; one that is restored into the same file has an older count. */
  place(): Place {
    const beside = `${this.file}-place`;
    let count = 0;
    try {
      count = Number(this.files.readFileSync(beside, 'utf8'));
    } catch {
      // It is opened for the first time, or was copied without this file.
    }
    this.files.writeFileSync(beside, String(count + 1));
    const { ino } = this.files.statSync(this.file);
    return [`${ino}/${count + 1}`, `${ino}/${count}`];
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.connection.prepare(sql));
    return statement;
  }
  #enqueue<T>(begin: string, body: (tx: SqliteTx) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(this.errors('closed', 'the local copy is closed'));
    const done = this.#last.then(() => this.#run(begin, body));
    this.#last = done.catch(() => undefined);  // whoever asked hears of it; the next one starts anew
    return done;
  }
  async #run<T>(begin: string, body: (tx: SqliteTx) => Promise<T>): Promise<T> {
    // All of a transaction is done at once: without this a program that writes on and on would never get to anything else.
    await new Promise<void>((resolve) => { (globalThis as unknown as Turns).setImmediate(resolve); });
    try {
      await whenFree(() => this.#prepare(begin).run());
      const result = await body(this.#tx);
      this.#prepare('commit').run();
      return result;
    } catch (error) {
      try {
        this.#prepare('rollback').run();
      } catch {
        // It never began, or SQLite has rolled it back by itself.
      }
      throw translate(error, this.errors);
    }
  }
}

/** The store in that file. Its folder must be there. */
export const sqlite = (file: string): StoreSource => (errors) => SqliteStore.open(file, errors);

/** Ends the transaction that was begun, or throws. */
function upgrade(connection: Connection, steps: readonly string[], errors: StoreErrors): void {
  const version = connection.prepare('pragma user_version').get()?.['user_version'] as number;
  const tables = connection.prepare('select count(*) as count from sqlite_master').get()?.['count'] as number;
  if (version > steps.length) {
    throw errors('store_too_new', 'the local copy is of a newer version');
  }
  if (version === 0 && tables > 0) throw errors('store_failed', 'the file is a database of something else');
  for (const step of steps.slice(version)) connection.exec(step);
  connection.exec(`pragma user_version = ${steps.length}; commit`);
}

function translate(error: unknown, errors: StoreErrors): unknown {
  const fault = faultOf(error);
  if (fault === undefined) return error;
  return fault === kFull ? errors('store_full', 'no room is left for the local copy', error)
    : errors('store_failed', `the local copy failed: ${(error as Error).message}`, error);
}
