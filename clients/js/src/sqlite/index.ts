// The store of Node, for `open({ store: sqlite('todo.db') })`. Pages of browsers do not load it.
export { sqlite } from '../store/sqlite.js';
export type { StoreErrors, StoreFault, StoreSource } from '../store/store.js';
