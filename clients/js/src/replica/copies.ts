// A store that was copied, or restored from a backup. Of what waits in it, the other copy, or this one later on, may
// have sent something: it counts as sent without an answer, so that it is recognised when the hub delivers it.
// Otherwise an edit of it would seem to be made by somebody who had not seen it, and the hub would list a conflict.
import type { ReadTx, Store } from '../store/store.js';
import { putState, readState } from './space_state.js';

const kPlace = 'place';
export const kSpaces = 'spaces';

/** All that were ever opened here. */
export const listSpaces = async (tx: ReadTx): Promise<string[]> =>
  await tx.value(kSpaces) as string[] | undefined ?? [];

/** Called once for each opening, before the spaces are loaded. */
export async function noteCopy(store: Store): Promise<void> {
  await store.write(async (tx) => {
    const known = await tx.value(kPlace);
    const [now, before = now] = store.place();
    if (now === undefined) return;
    if (known !== now) tx.setValue(kPlace, now);
    if (known === undefined || known === before) return;
    for (const name of await listSpaces(tx)) {
      const state = await readState(tx, name);
      putState(tx, name, { ...state, sentThrough: state.head });
    }
  });
}
