// The contract of src/store/store.ts, for every store: `open()` gives an empty one.
import { equal, ok, rejects } from './check.mjs';

const row = (id, seq, more = {}) => ({
  space: 's', collection: 'c', id, seq, at: '2026-01-01T00:00:00.000000Z', deleted: false, doc: '{}', ...more,
});
const ids = (rows) => rows.map((one) => one.id);
const version = (seq, isOwn) =>
  ({ space: 's', collection: 'c', id: 'r', seq, at: '', isOwn, deleted: false, doc: '{}' });
const entry = (value, id, field = 'f') => ({ space: 's', collection: 'c', field, value, id });

export const storeCases = {
  async 'a row is found as it was put, until it is removed'(open) {
    const store = await open();
    await store.write(async (tx) => tx.put(row('a', 1, { base: { generation: 1, hub: 4, local: 1, round: 1 } })));
    await store.read(async (tx) => {
      equal(await tx.find('s', 'c', 'a'), row('a', 1, { base: { generation: 1, hub: 4, local: 1, round: 1 } }));
      equal(await tx.find('s', 'c', 'b'), undefined);
      equal(await tx.find('other', 'c', 'a'), undefined);
    });
    await store.write(async (tx) => tx.remove('s', 'c', 'a'));
    await store.read(async (tx) => {
      equal(await tx.find('s', 'c', 'a'), undefined);
      equal(await tx.feed('s', 0, 9), []);
    });
  },
  async 'the feed has the newest version of each record, by seq'(open) {
    const store = await open();
    await store.write(async (tx) => {
      tx.put(row('a', 1));
      tx.put(row('b', 2));
      tx.put(row('c', 10));
      tx.put({ ...row('x', 3), space: 's2' });
      tx.put(row('a', 11));
    });
    await store.read(async (tx) => {
      equal(ids(await tx.feed('s', 0, 9)), ['b', 'c', 'a']);
      equal(ids(await tx.feed('s', 2, 9)), ['c', 'a']);
      equal(ids(await tx.feed('s', 0, 1)), ['b']);
      equal(ids(await tx.feed('s', 11, 9)), []);
    });
  },
  async 'rows that were made here are listed and counted apart'(open) {
    const store = await open();
    await store.write(async (tx) => {
      tx.put(row('a', 1, { own: 1 }));
      tx.put(row('b', 2));
      tx.put(row('c', 3, { own: 3 }));
      tx.put(row('a', 4));
      tx.put(row('d', 5, { own: 5 }));
    });
    await store.read(async (tx) => {
      equal(ids(await tx.own('s', 0, 9)), ['c', 'd']);
      equal(ids(await tx.own('s', 3, 9)), ['d']);
      equal(await tx.countOwn('s', 0), 2);
      equal(await tx.countOwn('s', 3), 1);
      equal(await tx.countOwn('other', 0), 0);
    });
  },
  async 'a collection is read by id, deletions included'(open) {
    const store = await open();
    await store.write(async (tx) => {
      for (const [i, id] of ['b', 'a', 'ü', 'c', '\u{1f600}', '\uffff', 'a!'].entries()) tx.put(row(id, i + 1));
      tx.put(row('d', 20, { deleted: true, doc: '', gone: 5 }));
      tx.put({ ...row('zz', 21), collection: 'c2' });
      tx.put({ ...row('zz', 22), collection: 'b' });
    });
    await store.read(async (tx) => {
      equal(ids(await tx.scan('s', 'c', '', 99)), ['a', 'a!', 'b', 'c', 'd', 'ü', '\u{1f600}', '\uffff']);
      equal(ids(await tx.scan('s', 'c', 'b', 2)), ['c', 'd']);
      equal(ids(await tx.gone('s', 5, 9)), []);
      equal(ids(await tx.gone('s', 6, 9)), ['d']);
    });
  },
  async 'a transaction that throws leaves nothing, and its error comes out'(open) {
    const store = await open();
    await store.write(async (tx) => tx.put(row('a', 1, { own: 1 })));
    await rejects(store.write(async (tx) => {
      tx.put(row('a', 2));
      tx.put(row('b', 3, { own: 3 }));
      tx.remove('s', 'c', 'a');
      tx.setValue('v', 1);
      tx.putEntry(entry('x', 'a'));
      await tx.find('s', 'c', 'a');
      throw new Error('on purpose');
    }), 'on purpose');
    await store.read(async (tx) => {
      equal(await tx.find('s', 'c', 'a'), row('a', 1, { own: 1 }));
      equal(ids(await tx.feed('s', 0, 9)), ['a']);
      equal(ids(await tx.own('s', 0, 9)), ['a']);
      equal(await tx.value('v'), undefined);
      equal(await tx.entries('s', 'c', 'f', { limit: 9 }), []);
    });
  },
  async 'a transaction sees its own writes, and writing ones follow each other'(open) {
    const store = await open();
    const add = () => store.write(async (tx) => {
      const before = await tx.value('count') ?? 0;
      await tx.find('s', 'c', 'a');
      tx.setValue('count', before + 1);
      equal(await tx.value('count'), before + 1);
    });
    await Promise.all(Array.from({ length: 20 }, add));
    equal(await store.read((tx) => tx.value('count')), 20);
  },
  async 'earlier versions come newest first'(open) {
    const store = await open();
    await store.write(async (tx) => {
      tx.putEarlier(version(2, true));
      tx.putEarlier(version(10, true));
      tx.putEarlier(version(1, false));
      tx.putEarlier({ ...version(3, true), id: 'r2' });
    });
    equal((await store.read((tx) => tx.earlier('s', 'c', 'r'))).map((one) => one.seq), [10, 2, 1]);
    await store.write(async (tx) => tx.removeEarlier(version(2, true)));
    equal((await store.read((tx) => tx.earlier('s', 'c', 'r'))).map((one) => one.seq), [10, 1]);
  },
  async 'notes are kept by record'(open) {
    const store = await open();
    const note = (id, offers) => ({ space: 's', collection: 'c', id, seq: 1, offers, code: '', detail: '', since: '' });
    await store.write(async (tx) => {
      tx.putNote(note('a', 1));
      tx.putNote(note('b', 1));
      tx.putNote(note('a', 2));
    });
    await store.read(async (tx) => {
      equal((await tx.notes('s')).map((one) => [one.id, one.offers]), [['a', 2], ['b', 1]]);
      equal((await tx.note('s', 'c', 'a')).offers, 2);
    });
    await store.write(async (tx) => tx.removeNote('s', 'c', 'a'));
    equal(ids(await store.read((tx) => tx.notes('s'))), ['b']);
  },
  async 'entries come in order of value and id, in both directions and in pages'(open) {
    const store = await open();
    await store.write(async (tx) => {
      for (const [value, id] of [['d2', 'x'], ['d1', 'y'], ['d1', 'z'], ['d10', 'w']]) tx.putEntry(entry(value, id));
      tx.putEntry(entry('d0', 'q', 'g'));
    });
    const list = (options) => store.read(async (tx) => ids(await tx.entries('s', 'c', 'f', { limit: 9, ...options })));
    equal(await list({}), ['y', 'z', 'w', 'x']);
    equal(await list({ descending: true }), ['x', 'w', 'z', 'y']);
    equal(await list({ value: 'd1' }), ['y', 'z']);
    equal(await list({ value: 'd1', after: { value: 'd1', id: 'y' } }), ['z']);
    equal(await list({ after: { value: 'd1', id: 'z' }, limit: 1 }), ['w']);
    equal(await list({ after: { value: 'd10', id: 'w' }, descending: true, limit: 1 }), ['z']);
    await store.write(async (tx) => tx.removeEntry(entry('d1', 'y')));
    equal(await list({ value: 'd1' }), ['z']);
  },
  async 'clear leaves nothing, and a closed store refuses'(open) {
    const store = await open();
    await store.write(async (tx) => {
      tx.put(row('a', 1, { own: 1 }));
      tx.setValue('v', 1);
    });
    await store.write(async (tx) => tx.clear());
    await store.read(async (tx) => {
      equal(await tx.find('s', 'c', 'a'), undefined);
      equal(await tx.countOwn('s', 0), 0);
      equal(await tx.value('v'), undefined);
    });
    store.close();
    const error = await store.read(async () => 1).then(() => undefined, (reason) => reason);
    ok(error?.code === 'closed', `the code of ${error}`);
  },
};
