// Rows of one of Kaisho's lists. A row has every field, in the order in which the hub stores them: then the hub's version
// is the same text, and comes back as no change.
import { NotFound } from '../http/errors.js';
import type { Collection, Item, Query, WatchReason } from '../local/collection.js';

/** A row with its id. */
export type Row<T> = T & { readonly id: string };

export const rowOf = <T extends object>({ id, doc }: Item<T>): Row<T> => ({ ...doc, id });

export class Rows<T extends object> {
  constructor(private readonly collection: Collection<T>, private readonly defaults: () => T,
    private readonly newId: () => string) {}

  async get(id: string): Promise<Row<T> | undefined> {
    const doc = await this.collection.get(id);
    return doc && { ...doc, id };
  }
  /** As `query` of a collection. */
  async list(query: Query<T> = {}): Promise<Row<T>[]> {
    return (await this.collection.query(query)).map(rowOf);
  }
  /** Calls back at once and after each change, with all rows that match. Returns the end of it. */
  watch(query: Query<T>, onChange: (rows: Row<T>[], why: WatchReason) => void,
    options: { signal?: AbortSignal } = {}): () => void {
    return this.collection.watch(query, (items, why) => onChange(items.map(rowOf), why), options);
  }
  /** Fields that are not given have their usual values. */
  async add(fields: Partial<T>): Promise<Row<T>> {
    const id = this.newId();
    const doc = { ...this.defaults(), ...fields };
    await this.collection.put(id, doc);
    return { ...doc, id };
  }
  /** Fields that are not given stay. */
  async change(id: string, fields: Partial<T>): Promise<Row<T>> {
    let changed!: T;
    await this.collection.patch(id, (old) => {
      if (old === undefined) throw new NotFound('not_found', `there is no row ${id} in ${this.collection.name}`);
      return (changed = { ...old, ...fields });
    });
    return { ...changed, id };
  }
  async remove(id: string): Promise<void> {
    await this.collection.delete(id);
  }
}
