// The changes that the hub has not acknowledged, for people to see and to decide about.
import type { Doc } from '../http/types.js';
import type { LocalSpace } from '../replica/local_space.js';
import { kOffersMax, listWaiting } from '../replica/outbox.js';
import { readState } from '../replica/space_state.js';
import type { Note, Row, Store } from '../store/store.js';

export interface Waiting {
  space: string;
  collection: string;
  id: string;
  /** Undefined for a deletion. */
  doc: Doc | undefined;
  /** How often the hub has refused it; it is not offered again by itself after 5. */
  offers: number;
  isDead: boolean;
  refusal: { code: string; detail: string; since: string } | undefined;
  /** Offers a refused change as if it were new. */
  retry(): Promise<void>;
  /** Gives the change up: the record is again what the hub has. False if it was changed or sent meanwhile. */
  discard(): Promise<boolean>;
}

const kPage = 100;

/** Reads a page at a time; `syncSoon` is called after a retry. */
export async function* listQueue(store: Store, local: LocalSpace, syncSoon: () => void): AsyncGenerator<Waiting> {
  let last = 0;
  for (let isFirst = true; ; isFirst = false) {
    const page = await store.read(async (tx) => {
      const state = await readState(tx, local.name);
      // Refused ones come with the first page only.
      return isFirst ? listWaiting(tx, local.name, state, kPage)
        : (await tx.own(local.name, Math.max(last, state.pushed), kPage)).map((row): { row: Row; note?: Note } => ({ row }));
    });
    for (const { row, note } of page) {
      const { space, collection, id, seq, deleted, doc } = row;
      const offers = note?.offers ?? 0;
      yield {
        space,
        collection,
        id,
        doc: deleted ? undefined : JSON.parse(doc) as Doc,
        offers,
        isDead: offers >= kOffersMax,
        refusal: note && { code: note.code, detail: note.detail, since: note.since },
        retry: async () => {
          if (note !== undefined) await local.retry(collection, id);
          syncSoon();
        },
        discard: () => local.discard(collection, id, seq),
      };
    }
    const own = page.filter(({ note }) => note === undefined);
    if (own.length < kPage) return;
    last = own.at(-1)?.row.seq ?? last;
  }
}
