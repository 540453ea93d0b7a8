export { open, Database, Space } from './local/database.js';
export type { Conflict, Events, OpenOptions, SyncOptions, Waiting } from './local/database.js';
export { Collection, type Found, type Item, type Query, type WatchReason } from './local/collection.js';
export type { Status } from './local/status.js';
export type { SyncState } from './core/replicator.js';
export type { IndexDeclaration } from './store/indexes.js';
export {
  AccountMismatch, Cancelled, Conflict as ConflictError, Forbidden, NotFound, Refused, StoreFull, StoreTooNew,
  SyncStuck, SynclineError, Timeout, Unauthorized, Unreachable, type ErrorDetails, type Retry,
} from './http/errors.js';
export type { CallOptions, Key } from './http/call.js';
export type { Doc, Json } from './http/types.js';
