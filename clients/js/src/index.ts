export { open } from './local/open.js';
export { Database } from './local/database.js';
export { Space } from './local/space.js';
export type { Conflict, HubAccess } from './local/conflicts.js';
export type { Events } from './local/emitter.js';
export type { OpenOptions, SyncOptions } from './local/options.js';
export type { Waiting } from './local/queue.js';
export { Collection, type Found, type Item, type Query, type WatchReason } from './local/collection.js';
export type { Status, StatusView } from './local/status.js';
export type { SyncState } from './core/replicator.js';
export type { IndexDeclaration } from './store/indexes.js';
export type { StoreSource } from './store/store.js';
export {
  AccountMismatch, Cancelled, Conflict as ConflictError, Forbidden, NotFound, Refused, StoreFull, StoreTooNew,
  SyncStuck, SynclineError, Timeout, Unauthorized, Unreachable, type ErrorDetails, type Retry,
} from './http/errors.js';
export type { CallOptions, Key } from './http/call.js';
export type { Doc, Json } from './http/types.js';
