import { StoreFull, StoreTooNew, SynclineError } from '../http/errors.js';
import type { StoreErrors } from './store.js';

/** The errors of stores, in the classes of the entry that opens them. */
export const storeError: StoreErrors = (code, detail, cause) => {
  const Class = code === 'store_full' ? StoreFull : code === 'store_too_new' ? StoreTooNew : SynclineError;
  return new Class(code, detail, { cause, retry: code === 'store_full' || code === 'store_failed' ? 'later' : 'never' });
};
