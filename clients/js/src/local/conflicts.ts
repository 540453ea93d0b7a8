// Edits that lost, as the hub keeps them. Loaded when they are asked for, so it shares no code with the entry.
import type { Caller, CallOptions } from '../http/call.js';
import type { Doc, HubConflict } from '../http/types.js';

export interface Conflict<T = Doc> {
  id: string | number;
  collection: string;
  recordId: string;
  rule: string;
  at: string;
  winner: T | undefined;
  loser: T | undefined;
  /** Makes the losing version a new one. */
  restore(options?: CallOptions): Promise<void>;
  dismiss(options?: CallOptions): Promise<void>;
}

/** The hub of a space, for what needs it. */
export interface HubAccess {
  /** Of a checked key. */
  caller(): Promise<Caller>;
  syncSoon(): void;
}

export async function listConflicts<T>(hub: HubAccess, path: string, options: CallOptions): Promise<Conflict<T>[]> {
  const resolve = async (id: string | number, action: 'restore' | 'dismiss', options?: CallOptions) => {
    const caller = await hub.caller();
    const body = JSON.stringify({ action });
    await caller.call({ method: 'POST', path: `${path}/${encodeURIComponent(id)}`, body }, options);
    hub.syncSoon();
  };
  const caller = await hub.caller();
  const { conflicts } = await caller.json<{ conflicts: HubConflict<T>[] }>({ method: 'GET', path }, options);
  return conflicts.map(({ id, collection, record_id: recordId, rule, at, winner, loser }): Conflict<T> => ({
    id,
    collection,
    recordId,
    rule,
    at,
    winner: winner.doc,
    loser: loser.doc,
    restore: (options) => resolve(id, 'restore', options),
    dismiss: (options) => resolve(id, 'dismiss', options),
  }));
}
