// The shapes of /v1, as docs/api/native.md describes them.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Doc = { [name: string]: Json };

export interface Me {
  account: string;
  plan: string;
  key: { id: string; label: string; scopes: string[]; spaces: string[] | null };
  limits: Record<string, number>;
  /** Absent on hubs that had no such number. */
  api?: number;
}

export interface HubRecord<T = Doc> {
  seq: number;
  collection: string;
  id: string;
  updated_at: string;
  deleted: boolean;
  doc?: T;
  /** The hub has the record, but cannot read it any more; it has no document here. */
  damaged?: true;
  /** Of one record: what `ifMatch` takes. */
  etag?: string;
}

export interface Version<T = Doc> extends HubRecord<T> {
  key_label: string;
  committed_at: string;
  rule: string;
}

export interface Op<T = Doc> {
  collection: string;
  id: string;
  updated_at?: string;
  base?: number;
  doc?: T;
  deleted?: true;
}

export type OpStatus = 'applied' | 'noop' | 'stale' | 'merged' | 'refused';

export interface OpResult<T = Doc> {
  status: OpStatus;
  seq?: number;
  updated_at?: string;
  record?: HubRecord<T>;
  error?: { code: string; detail: string };
  clock?: { sent: string; used: string };
  /** With `quiet`: the place of the op. */
  index?: number;
}

export interface Page<T = Doc> {
  changes: HubRecord<T>[];
  damaged?: { seq: number; collection?: string; id?: string; damaged: true; replaced?: true }[];
  cursor: string;
  more: boolean;
}

export interface HubConflict<T = Doc> {
  id: string | number;
  collection: string;
  record_id: string;
  rule: string;
  at: string;
  winner: HubRecord<T>;
  loser: HubRecord<T>;
  loser_key_label: string;
  state: string;
}

export interface CollectionInfo {
  name: string;
  /** Live ones. */
  records: number;
  /** Of the live documents. */
  bytes: number;
}

export interface SpaceInfo {
  name: string;
  cursor: string;
  records: number;
  bytes: number;
  updated_at: string;
}

export interface KeyInfo {
  id: string;
  label: string;
  scopes: string[];
  spaces: string[] | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface NewKey {
  label: string;
  scopes: string[];
  spaces?: string[];
  expires_at?: string;
  token?: string;
}

/** `change`: somebody wrote to the space. `reset`: the cursor is of another history; see `code`. */
export interface Notice {
  type: string;
  space: string;
  cursor: string;
  code?: string;
  /** All cursors, for `lastEventId`. */
  id: string;
}
