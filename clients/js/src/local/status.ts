// What people are shown of sync.
import type { SyncState, SyncStatus } from '../core/replicator.js';

export interface Status {
  state: SyncState;
  /** One line for a person. */
  reason: string;
  /** When that began; milliseconds since 1970, as all times here. */
  since: number;
  nextTry: number | undefined;
  /** End of the last complete cycle of all spaces. */
  synced: number | undefined;
  /** Changes that the hub has not acknowledged, refused ones included. */
  pending: number;
  /** Of these, what the hub has refused. */
  refused: number;
  /** The browser may remove the local copy when it runs out of room. */
  evictable: boolean;
}

const rank = (status: SyncStatus): number => {
  if (status.state === 'waiting') return status.isFailing ? 4 : 2;
  return { off: 0, in_sync: 1, syncing: 3, reauth: 5 }[status.state];
};

/** The status of the space that is worst off, at the times of the wall clock. */
export function combine(spaces: SyncStatus[], steadyMs: number, wallMs: number): Pick<Status,
  'state' | 'reason' | 'since' | 'nextTry' | 'synced'> {
  const wall = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(wallMs + ms - steadyMs));
  const worst = spaces.reduce<SyncStatus | undefined>(
    (found, one) => (found === undefined || rank(one) > rank(found) ? one : found), undefined);
  if (worst === undefined) {
    return { state: 'off', reason: 'not connected to a hub', since: wallMs, nextTry: undefined, synced: undefined };
  }
  const ends = spaces.map((one) => one.syncedMs);
  const synced = ends.includes(undefined) ? undefined : Math.min(...ends as number[]);
  return {
    state: worst.state, reason: worst.reason, since: wall(worst.sinceMs) as number, nextTry: wall(worst.nextTryMs),
    synced: wall(synced),
  };
}
