export { Caller, type Answer, type CallerSettings, type CallOptions, type Key, type Request } from './call.js';
export {
  AccountMismatch, Cancelled, Conflict, Forbidden, NotFound, Refused, StoreFull, StoreTooNew, SyncStuck,
  SynclineError, Timeout, Unauthorized, Unreachable, type ErrorDetails, type Retry,
} from './errors.js';
export {
  Hub, HubSpace, type ChangesOptions, type IdempotentOptions, type PushOptions, type WriteOptions,
} from './hub.js';
export type * from './types.js';
export type { StreamOptions } from './stream.js';
