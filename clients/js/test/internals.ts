// What the unit tests reach and programs do not.
export * from '../src/core/cursor.js';
export * from '../src/core/doc_text.js';
export * from '../src/core/replicator.js';
export * from '../src/http/errors.js';
export * from '../src/http/events.js';
export * from '../src/http/index.js';
export * from '../src/replica/copies.js';
export * from '../src/replica/local_space.js';
export * from '../src/replica/outbox.js';
export * from '../src/replica/space_replica.js';
export * from '../src/replica/space_state.js';
export * from '../src/replica/wire.js';
export * from '../src/store/indexes.js';
export * from '../src/store/indexeddb.js';
export * from '../src/store/memory.js';
export * from '../src/store/sqlite.js';
export * from '../src/store/store_error.js';
