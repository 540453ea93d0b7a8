// Opens the local copy in the store that the program chose.
import { SynclineError } from '../http/errors.js';
import { IndexedDbStore } from '../store/indexeddb.js';
import type { Store } from '../store/store.js';
import { storeError } from '../store/store_error.js';
import { Database } from './database.js';
import { nameOf, type OpenOptions } from './options.js';

/** Opens the local copy. Works with no network, and with no hub yet. */
export async function open(options: OpenOptions): Promise<Database> {
  const database = new Database(await openStore(options), options);
  try {
    await database.start();
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

async function openStore(options: OpenOptions): Promise<Store> {
  const { store = 'indexeddb' } = options;
  if (typeof store === 'function') return store(storeError);
  // Pages of browsers do not load the other one.
  if (store === 'memory') return new (await import('../store/memory.js')).MemoryStore(storeError);
  if (typeof indexedDB === 'undefined') {
    throw new SynclineError('no_store', 'no IndexedDB here');
  }
  return IndexedDbStore.open(nameOf(options));
}
