// One writing transaction on a space: the steps that edits, deliveries and verdicts share, and what they touch.
import type { Indexes } from '../store/indexes.js';
import type { Row, WriteTx } from '../store/store.js';
import { knownOf, withKnown, type SpaceState } from './space_state.js';
import type { HubVersion } from './wire.js';

export class Writing {
  readonly collections = new Set<string>();
  /** Collection and id of edits of this device that lost. */
  readonly losses: [string, string][] = [];

  /** `state` is stored when the transaction ends. */
  constructor(readonly tx: WriteTx, readonly state: SpaceState, readonly name: string,
    readonly indexes: Indexes, readonly now: () => number) {}

  find(collection: string, id: string): Promise<Row | undefined> {
    return this.tx.find(this.name, collection, id);
  }
  /** The version takes the next place in the feed. */
  async put(row: Row, stored: Row | undefined): Promise<void> {
    this.collections.add(row.collection);
    await this.indexes.change(this.tx, row, stored);
    this.tx.put(row);
  }
  /** As if the record had never been. */
  async forget(stored: Row): Promise<void> {
    this.collections.add(stored.collection);
    await this.indexes.change(this.tx, undefined, stored);
    this.tx.remove(this.name, stored.collection, stored.id);
  }

  /** Stores what the hub has, in place of `stored`. */
  async adopt(version: HubVersion, stored: Row | undefined): Promise<void> {
    const { tx, state } = this;
    const { collection, id, at, deleted, doc } = version;
    const seq = ++state.head;
    const row = withKnown(state, { space: this.name, collection, id, seq, at, deleted, doc }, version.seq, seq);
    if (deleted) row.gone = this.now();
    if (stored !== undefined) {
      tx.removeNote(this.name, collection, id);
      if (stored.own !== undefined) await this.removeEarlier(row);
    }
    await this.put(row, stored);
  }
  /** The reading from the beginning has met the record. */
  mark(stored: Row): void {
    const { state } = this;
    const known = knownOf(state, stored);
    if (known !== undefined && known.round !== state.round) this.tx.put(withKnown(state, stored, known.hub, known.local));
  }

  /** Before an edit replaces it. A version that no push has carried is known to nobody; any other may come back. */
  keepEarlier(stored: Row): void {
    const neverSent = stored.own !== undefined && stored.seq > this.state.sentThrough;
    if (neverSent) return;
    const { space, collection, id, seq, at, deleted, doc } = stored;
    this.tx.putEarlier({ space, collection, id, seq, at, deleted, doc, isOwn: stored.own !== undefined });
  }
  async removeEarlier(row: Row, before = Infinity): Promise<void> {
    for (const version of await this.tx.earlier(row.space, row.collection, row.id)) {
      if (version.seq < before) this.tx.removeEarlier(version);
    }
  }
}
