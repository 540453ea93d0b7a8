// Records of one collection, in the local copy. Nothing here waits for the network.
import { faultOfDoc } from '../core/doc_text.js';
import { Refused } from '../http/errors.js';
import type { Doc, Json } from '../http/types.js';
import type { LocalSpace, Why } from '../replica/local_space.js';
import { sortText, type Indexes } from '../store/indexes.js';
import type { ReadTx, Row, Store } from '../store/store.js';

export interface Item<T> {
  id: string;
  doc: T;
  updatedAt: string;
}
/** `next` is there if more follows: pass it as `after`. */
export type Found<T> = Item<T>[] & { next?: string };

export interface Query<T> {
  /** Fields that must have these values, or a function. */
  where?: Partial<T> | ((doc: T) => boolean);
  /** A field; by id without. */
  order?: keyof T & string;
  descending?: boolean;
  limit?: number;
  after?: string;
}

/** `now`: the first call. */
export type WatchReason = 'now' | Why;

interface Place {
  value: string;
  id: string;
}

const kChunk = 200;
const utf8 = new TextEncoder();

function checkId(id: string): void {
  const bytes = utf8.encode(id).length;
  if (bytes < 1 || bytes > 512 || id.includes('\0') || /[\ud800-\udfff]/u.test(id)) {
    throw new Refused('invalid_id', 'a record id has 1 to 512 bytes of UTF-8 without NUL');
  }
}

export interface SpaceParts {
  local: LocalSpace;
  store: Store;
  indexes: Indexes;
  watchers: Watchers;
  /** The space is loaded; fails if it cannot be. */
  ready: Promise<void>;
}

export class Collection<T extends object = Doc> {
  private readonly space: LocalSpace;
  private readonly indexes: Indexes;

  constructor(readonly name: string, private readonly parts: SpaceParts) {
    this.space = parts.local;
    this.indexes = parts.indexes;
    if (!/^[A-Za-z0-9._-]{1,128}$/.test(name)) {
      throw new Refused('invalid_collection', 'a collection has 1 to 128 letters, digits, `.`, `_` and `-`');
    }
  }

  async get(id: string): Promise<T | undefined> {
    await this.parts.ready;
    const row = await this.parts.store.read((tx) => tx.find(this.space.name, this.name, id));
    return row === undefined || row.deleted ? undefined : JSON.parse(row.doc) as T;
  }
  /** Resolves when the change is durable in this copy. A document that is as it was read is no change. */
  async put(id: string, doc: T): Promise<void> {
    await this.patch(id, () => doc);
  }
  /** `change` gets the present document, undefined if there is none, and returns the new one or undefined for none. */
  async patch(id: string, change: (old: T | undefined) => T | undefined): Promise<void> {
    checkId(id);
    await this.parts.ready;
    await this.space.edit(this.name, id, (stored) => {
      const old = stored === undefined || stored.deleted ? undefined : JSON.parse(stored.doc) as T;
      const before = JSON.stringify(old);
      const doc = change(old);
      if (doc === undefined) return undefined;
      const text = JSON.stringify(doc);
      // The text of the hub stays, with the numbers that JSON.parse rounds.
      if (text === before) return undefined;
      const fault = faultOfDoc(text ?? '');  // undefined of a function, for example
      if (fault !== undefined) throw new Refused('invalid_document', fault);
      return text;
    });
  }
  async delete(id: string): Promise<void> {
    checkId(id);
    await this.parts.ready;
    await this.space.edit(this.name, id, () => null);
  }

  /** Reads an index if one is declared for `order`, or for a field of `where`; otherwise the whole collection. */
  async query(query: Query<T> = {}): Promise<Found<T>> {
    await this.parts.ready;
    return this.parts.store.read((tx) => this.#query(tx, query));
  }

  /** Calls back at once, and after each commit that touches the collection. Returns the end of it. */
  watch(query: Query<T>, onChange: (items: Found<T>, why: WatchReason) => void,
    options: { signal?: AbortSignal } = {}): () => void {
    const stop = this.parts.watchers.add(this.space.name, this.name, async (why, isEnded) => {
      const items = await this.query(query);
      if (!isEnded()) onChange(items, why);
    });
    if (options.signal?.aborted) stop();
    else options.signal?.addEventListener('abort', stop, { once: true });
    return stop;
  }

  async #query(tx: ReadTx, query: Query<T>): Promise<Found<T>> {
    const { order, descending = false, limit = Infinity } = query;
    if (limit <= 0) return [];
    const after = query.after === undefined ? undefined : JSON.parse(query.after) as Place;
    const matches = matcher(query.where);
    const found: [Place, Item<T>][] = [];
    const isBefore = (a: Place, b: Place): boolean => {
      const [first, second] = descending ? [b, a] : [a, b];
      return first.value === second.value ? first.id < second.id : first.value < second.value;
    };
    const isSorted = order === undefined ? !descending : this.indexes.has(this.name, order);
    const source = order !== undefined && isSorted
      ? this.#byIndex(tx, order, undefined, after, descending)
      : this.#byId(tx, query.where, isSorted ? after : undefined);
    for await (const row of source) {
      if (row === undefined || row.deleted) continue;
      const doc = JSON.parse(row.doc) as T;
      if (!matches(doc)) continue;
      const { id, at: updatedAt } = row;
      const place = { value: order === undefined ? '' : sortText((doc as Record<string, Json>)[order]), id };
      if (after !== undefined && !isBefore(after, place)) continue;
      let low = 0;
      for (let high = found.length; low < high; ) {
        // What comes in order belongs to the end.
        const middle = isSorted ? high - 1 : (low + high) >> 1;
        if (isBefore((found[middle] as [Place, Item<T>])[0], place)) low = middle + 1;
        else high = middle;
      }
      found.splice(low, 0, [place, { id, doc, updatedAt }]);
      // Keeps no more than the page, and one to know whether more follows.
      if (found.length <= limit) continue;
      if (isSorted) break;
      if (found.length > limit + 1) found.pop();
    }
    const hasMore = found.length > limit;
    if (hasMore) found.length = limit;
    const page: Found<T> = found.map(([, item]) => item);
    if (hasMore) page.next = JSON.stringify(found.at(-1)?.[0]);
    return page;
  }

  async *#byIndex(tx: ReadTx, field: string, value: string | undefined, after: Place | undefined,
    descending: boolean): AsyncGenerator<Row | undefined> {
    for (let last = after; ; ) {
      const entries = await tx.entries(this.space.name, this.name, field, { value, after: last, descending, limit: kChunk });
      for (const row of await Promise.all(entries.map((one) => tx.find(this.space.name, this.name, one.id)))) yield row;
      last = entries.at(-1);
      if (entries.length < kChunk) return;
    }
  }
  async *#byId(tx: ReadTx, where: Query<T>['where'], after: Place | undefined): AsyncGenerator<Row | undefined> {
    if (typeof where === 'object') {
      const field = Object.keys(where).find((one) => this.indexes.has(this.name, one));
      if (field !== undefined) {
        const value = sortText((where as Record<string, Json>)[field]);
        return yield* this.#byIndex(tx, field, value, after && { value, id: after.id }, false);
      }
    }
    for (let last = after?.id ?? ''; ; ) {
      const rows = await tx.scan(this.space.name, this.name, last, kChunk);
      yield* rows;
      last = rows.at(-1)?.id ?? last;
      if (rows.length < kChunk) return;
    }
  }
}

function matcher<T>(where: Query<T>['where']): (doc: T) => boolean {
  if (where === undefined) return () => true;
  if (typeof where === 'function') return where;
  const wanted = Object.entries(where).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return (doc) => wanted.every(([name, text]) => JSON.stringify((doc as Record<string, unknown>)[name]) === text);
}

type Refresh = (why: WatchReason, isEnded: () => boolean) => Promise<void>;

interface Watcher {
  space: string;
  collection: string;
  refresh: Refresh;
  isEnded: boolean;
  isRunning: boolean;
  /** What came while it ran. */
  next: WatchReason | undefined;
}

/** Who wants to hear of commits. A watcher runs once at a time; commits meanwhile cost one more run. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();

  constructor(private readonly onError: (error: unknown) => void) {}

  add(space: string, collection: string, refresh: Refresh): () => void {
    const watcher: Watcher = { space, collection, refresh, isEnded: false, isRunning: false, next: undefined };
    this.#watchers.add(watcher);
    void this.#run(watcher, 'now');
    return () => {
      watcher.isEnded = true;
      this.#watchers.delete(watcher);
    };
  }
  notify(space: string, collections: Iterable<string>, why: Why): void {
    const touched = new Set(collections);
    for (const watcher of this.#watchers) {
      if (watcher.space === space && touched.has(watcher.collection)) void this.#run(watcher, why);
    }
  }
  clear(): void {
    for (const watcher of this.#watchers) watcher.isEnded = true;
    this.#watchers.clear();
  }

  async #run(watcher: Watcher, why: WatchReason): Promise<void> {
    if (watcher.isRunning) {
      watcher.next = why;
      return;
    }
    watcher.isRunning = true;
    for (let reason: WatchReason | undefined = why; reason !== undefined && !watcher.isEnded; ) {
      watcher.next = undefined;
      try {
        await watcher.refresh(reason, () => watcher.isEnded);
      } catch (error) {
        if (!watcher.isEnded) this.onError(error);
      }
      reason = watcher.next;
    }
    watcher.isRunning = false;
  }
}
