// Where helpers read and write.
import type { Caller } from '../http/call.js';
import type { Database } from '../local/database.js';

/** A local copy, as `open` of `@syncline/client` makes it. */
export type LocalCopy = Pick<Database, 'space' | 'caller' | 'syncSoon'>;

/** A local copy, or a `Hub` of `@syncline/client/http`. */
export type Source = { caller(): Promise<Caller> } | { readonly caller: Caller };

export const callerOf = async (source: Source): Promise<Caller> =>
  (typeof source.caller === 'function' ? source.caller() : source.caller);
