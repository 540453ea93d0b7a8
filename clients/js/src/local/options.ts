// What a program says when it opens a local copy.
import type { Key } from '../http/call.js';
import type { IndexDeclaration } from '../store/indexes.js';
import type { StoreSource } from '../store/store.js';

export interface SyncOptions {
  /** Changes of one push, and their bytes. */
  batchOps?: number;
  batchBytes?: number;
  /** Changes within so long of a cycle share the next one. */
  windowMs?: number;
  /** Between two polls, for what no notice told of. */
  intervalMs?: number;
}

export interface OpenOptions {
  /** Of the local copy: one database per account and name. */
  name: string;
  /** Tells copies of several people on one device apart. */
  account?: string;
  url?: string;
  key?: Key;
  spaces?: string[];
  /** `indexeddb` stays; `memory` is gone with the program; `sqlite(file)` of the entry `sqlite` stays, in Node. */
  store?: 'indexeddb' | 'memory' | StoreSource;
  indexes?: IndexDeclaration;
  sync?: SyncOptions;
  fetch?: typeof fetch;
}

export const nameOf = ({ account, name }: OpenOptions): string =>
  `syncline/${account === undefined ? '' : `${encodeURIComponent(account)}/`}${encodeURIComponent(name)}`;
