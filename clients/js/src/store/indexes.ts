// Declared indexes: for each record of a collection an entry per field, in the transaction that changes the record.
import type { Json } from '../http/types.js';
import type { Row, WriteTx } from './store.js';

/** Fields by collection. */
export type IndexDeclaration = Record<string, readonly string[]>;

/** Longer texts share an entry's value; who reads it compares the documents. */
const kTextMax = 200;
const kChunk = 200;

/** Texts that sort as the values do: null, booleans, numbers, texts, then what has no order or is not there. */
export function sortText(value: Json | undefined): string {
  if (value === null) return 'a';
  if (typeof value === 'boolean') return value ? 'b1' : 'b0';
  if (typeof value === 'number') {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value === 0 ? 0 : value);  // -0 is 0
    // As integers, the bits of positive doubles sort as they do, and those of negative ones the other way round.
    const bits = view.getBigUint64(0);
    const sorted = bits >> 63n ? ~bits & 0xffff_ffff_ffff_ffffn : bits | (1n << 63n);
    return `c${sorted.toString(16).padStart(16, '0')}`;
  }
  // Keys of stores have no NUL.
  if (typeof value === 'string') return `d${value.slice(0, kTextMax).replaceAll('\0', '\x01')}`;
  return 'e';
}

export class Indexes {
  constructor(private readonly declared: IndexDeclaration = {}) {}

  has(collection: string, field: string): boolean {
    return this.declared[collection]?.includes(field) ?? false;
  }

  /** `row` replaces `stored`; either may be missing. */
  async change(tx: WriteTx, row: Row | undefined, stored: Row | undefined): Promise<void> {
    const { collection, space, id } = (row ?? stored) as Row;
    const fields = this.declared[collection];
    if (fields === undefined) return;
    const before = stored !== undefined && !stored.deleted ? JSON.parse(stored.doc) as Record<string, Json> : undefined;
    const now = row !== undefined && !row.deleted ? JSON.parse(row.doc) as Record<string, Json> : undefined;
    for (const field of fields) {
      const old = before && sortText(before[field]);
      const value = now && sortText(now[field]);
      if (old === value) continue;
      if (old !== undefined) tx.removeEntry({ space, collection, field, value: old, id });
      if (value !== undefined) tx.putEntry({ space, collection, field, value, id });
    }
  }

  /** Makes the entries fit the declaration, if it is not the one that they were made for. */
  async fit(tx: WriteTx, space: string): Promise<void> {
    const name = `indexes/${space}`;
    const made = (await tx.value(name) ?? {}) as IndexDeclaration;
    if (JSON.stringify(made) === JSON.stringify(this.declared)) return;
    for (const [collection, fields] of Object.entries(made)) {
      for (const field of fields) if (!this.has(collection, field)) await this.#drop(tx, space, collection, field);
    }
    for (const [collection, fields] of Object.entries(this.declared)) {
      const missing = fields.filter((field) => !made[collection]?.includes(field));
      if (missing.length > 0) await this.#make(tx, space, collection, missing);
    }
    tx.setValue(name, this.declared);
  }

  async #drop(tx: WriteTx, space: string, collection: string, field: string): Promise<void> {
    for (;;) {
      const entries = await tx.entries(space, collection, field, { limit: kChunk });
      for (const entry of entries) tx.removeEntry(entry);
      if (entries.length < kChunk) return;
    }
  }
  async #make(tx: WriteTx, space: string, collection: string, fields: string[]): Promise<void> {
    for (let last = ''; ; ) {
      const rows = await tx.scan(space, collection, last, kChunk);
      for (const row of rows) {
        last = row.id;
        if (row.deleted) continue;
        const doc = JSON.parse(row.doc) as Record<string, Json>;
        for (const field of fields) {
          tx.putEntry({ space, collection, field, value: sortText(doc[field]), id: row.id });
        }
      }
      if (rows.length < kChunk) return;
    }
  }
}
