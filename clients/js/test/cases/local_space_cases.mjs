// What a device makes of a version from the hub while its own edits of the same record wait: the cases of
// src/replica/local_space_test.cpp of the hub, and those of this library. For every store.
import {
  Indexes, kBeginning, kLimits, LocalSpace, parseCursor, parsePage, readState,
} from '#internals';
import { equal, ok } from './check.mjs';

const kBefore = '2020-09-13T12:26:40.000000Z';
const kLater = '2020-09-13T12:26:40.000001Z';

export class Device {
  static async make(open, options = {}) {
    const device = new Device();
    device.store = await open();
    device.lost = [];
    device.now = Date.parse('2023-11-14T22:13:20Z');
    device.indexes = new Indexes(options.indexes);
    device.limits = { ...kLimits, ...options.limits };
    await device.start();
    return device;
  }
  async start() {
    this.local = new LocalSpace(this.store, 'notes', this.indexes, this.limits, undefined,
      (_, collection, id) => this.lost.push(`${collection}/${id}`), () => this.now);
    await this.local.load();
  }
  /** An edit by a program on this device; no document: a deletion. */
  async edit(doc, id = 'r') {
    this.now += 1000;
    ok(await this.local.edit('c', id, () => (doc === '' ? null : doc)), `the edit ${doc}`);
  }
  /** The hub delivers the record as it stands there; no document: a deletion. */
  async deliver(seq, at, doc, id = 'r') {
    const since = this.local.state.cursor;
    const head = Math.max(seq, since.seq);
    await this.page(`h1.${head}`, [{ collection: 'c', id, seq, at, deleted: doc === '', doc }]);
  }
  async page(cursor, versions, more = false, damaged = []) {
    const since = this.local.state.cursor;
    await this.local.apply({ since, cursor: parseCursor(cursor), more, versions, damaged });
  }
  /** What the next push says that the waiting edit was made of; undefined if nothing waits. */
  async base() {
    const { items } = await this.local.nextBatch(false, 100);
    return items.length === 1 ? items[0].base : undefined;
  }
  async push(verdict, cursor) {
    const batch = await this.local.nextBatch(true, 100);
    return this.local.settle(batch, { cursor: parseCursor(cursor),
      verdicts: batch.items.map((item, i) => ({ seq: 0, at: undefined, version: undefined, code: '', detail: '',
        ...(typeof verdict === 'function' ? verdict(item, i) : verdict) })) });
  }
  find(id = 'r') {
    return this.store.read((tx) => tx.find('notes', 'c', id));
  }
  async docs() {
    const rows = await this.store.read((tx) => tx.scan('notes', 'c', '', 99));
    return Object.fromEntries(rows.filter((row) => !row.deleted).map((row) => [row.id, row.doc]));
  }
  earlier(id = 'r') {
    return this.store.read((tx) => tx.earlier('notes', 'c', id));
  }
}

export const localSpaceCases = {
  async 'a deletion of its own that was never sent is not what the hub delivers'(open) {
    const device = await Device.make(open);
    await device.deliver(2, kBefore, '{"n":1}');
    await device.edit('');
    await device.edit('{"n":2}');
    equal(await device.base(), 2);  // the answer to this push is lost
    await device.deliver(9, kLater, '');
    equal(await device.base(), 2, "another device's deletion does not count as seen by the edit");
  },
  async 'a deletion of its own whose answer was lost is what the edit was made of'(open) {
    const device = await Device.make(open);
    await device.deliver(2, kBefore, '{"n":1}');
    await device.edit('');
    equal(await device.base(), 2);  // the answer to this push is lost
    await device.edit('{"n":2}');
    await device.deliver(3, kLater, '');
    equal(await device.base(), 3);
  },
  async 'what was sent is known after a start'(open) {
    const device = await Device.make(open);
    await device.deliver(2, kBefore, '{"n":1}');
    await device.edit('');
    equal(await device.base(), 2);  // the answer to this push is lost
    await device.edit('{"n":2}');
    await device.start();
    await device.deliver(3, kLater, '');
    equal(await device.base(), 3);
  },
  async 'an old page does not settle an edit that looks like it'(open) {
    const device = await Device.make(open);
    await device.deliver(3, kBefore, '');
    await device.deliver(8, kLater, '{"n":1}');
    await device.edit('');
    await device.local.readFromStart();
    await device.deliver(3, kBefore, '');  // of a page that was made before 8 came
    await device.deliver(8, kLater, '{"n":1}');
    equal(await device.base(), 8, 'the deletion waits no more');
  },
  async 'what an edit that may be at the hub replaced does not settle a later edit like it'(open) {
    const device = await Device.make(open);
    await device.deliver(3, kBefore, '');
    await device.edit('{"n":1}');
    equal(await device.base(), 3);  // the hub stores it as 8, and the answer is lost
    await device.edit('');
    await device.local.readFromStart();
    await device.deliver(3, kBefore, '');  // of a page that was made before 8 came
    equal(await device.base(), 3, 'the deletion waits no more');
    await device.deliver(8, kLater, '{"n":1}');
    equal(await device.base(), 8);
  },
  async 'an edit that the hub delivers is settled though an earlier one was sent too'(open) {
    const device = await Device.make(open);
    await device.deliver(2, kBefore, '{"n":1}');
    await device.edit('{"n":2}');
    equal(await device.base(), 2);  // this push never arrives
    await device.edit('{"n":3}');
    equal(await device.base(), 2);  // the answer to this one is lost
    await device.deliver(3, kLater, '{"n":3}');
    await device.edit('');
    equal(await device.base(), 3);
  },
  async 'a record that was damaged at the hub is looked for when its store was opened again'(open) {
    const device = await Device.make(open);
    await device.page('h1-3.1', [], false, [{ collection: 'c', id: 'r', seq: 1, isReplaced: false }]);
    ok(!device.local.mayHaveMissed(), 'this opening has just said that it cannot read it');
    await device.start();
    await device.page('h1-6.2', []);
    ok(device.local.mayHaveMissed());
    await device.local.readFromStart();
    ok(!device.local.mayHaveMissed());
  },
  async 'what the hub has lost of a page is offered from the copy here'(open) {
    const device = await Device.make(open);
    await device.deliver(2, kBefore, '{"n":1}');
    equal(await device.base(), undefined);
    await device.page('h1.3', [], false, [{ collection: 'c', id: 'r', seq: 2, isReplaced: false }]);
    equal(await device.base(), 2);
  },
  async 'a record with a waiting edit is left alone by a pull, and the verdict decides'(open) {
    const device = await Device.make(open);
    await device.deliver(2, kBefore, '{"n":1}');
    await device.edit('{"mine":1}');
    await device.deliver(3, '2031-01-01T00:00:00.000000Z', '{"theirs":1}');
    equal((await device.find()).doc, '{"mine":1}');
    const theirs = { collection: 'c', id: 'r', seq: 3, at: '2031-01-01T00:00:00.000000Z', deleted: false,
      doc: '{"theirs":1}' };
    await device.push({ status: 'stale', seq: 3, version: theirs }, 'h1.3');
    equal((await device.find()).doc, '{"theirs":1}');
    equal(device.lost, ['c/r']);
    equal(await device.base(), undefined);
    equal(await device.earlier(), []);
  },
  async 'an edit made while a push is on its way waits with the base that the push got'(open) {
    const device = await Device.make(open);
    await device.edit('{"n":1}');
    const batch = await device.local.nextBatch(false, 100);
    await device.edit('{"n":2}');
    const settled = await device.local.settle(batch, { cursor: parseCursor('h1.1'),
      verdicts: [{ status: 'applied', seq: 1, at: undefined, version: undefined, code: '', detail: '' }] });
    equal(settled.needsPull, false);
    equal((await device.find()).doc, '{"n":2}');
    equal(await device.base(), 1);
    await device.push({ status: 'applied', seq: 2 }, 'h1.2');
    equal(await device.base(), undefined);
    equal(await device.earlier(), []);
  },
  async 'an answer to a batch that another tab has settled changes nothing'(open) {
    const device = await Device.make(open);
    await device.edit('{"n":1}');
    const batch = await device.local.nextBatch(false, 100);
    const answer = { cursor: parseCursor('h1.1'),
      verdicts: [{ status: 'applied', seq: 1, at: undefined, version: undefined, code: '', detail: '' }] };
    await device.local.settle(batch, answer);
    await device.edit('{"n":2}');
    ok((await device.local.settle(batch, answer)).isPartial, 'what is left goes again');
    equal(await device.base(), 1);
    await device.push({ status: 'applied', seq: 2 }, 'h1.2');
    await device.local.settle(batch, answer);
    equal(await device.base(), undefined, 'what was acknowledged waits again');
    await device.deliver(9, kBefore, '{}', 'x');
    await device.local.apply({ since: kBeginning, cursor: parseCursor('h1.20'), more: false, damaged: [], versions: [
      { collection: 'c', id: 'x', seq: 20, at: kLater, deleted: true, doc: '' }] });
    equal(device.local.state.cursor.seq, 9, 'a page that another tab has been past');
    equal((await device.find('x')).doc, '{}');
  },
  async 'a stamp that the hub lowered is taken over'(open) {
    const device = await Device.make(open);
    device.now = Date.parse('2035-01-01T00:00:00Z');
    await device.edit('{"n":1}');
    await device.push({ status: 'applied', seq: 1, at: kBefore }, 'h1.1');
    equal((await device.find()).at, kBefore);
    equal(await device.base(), undefined);
  },
  async 'an edit is later than what it replaces, also with a clock that is behind'(open) {
    const device = await Device.make(open);
    await device.deliver(1, '2031-01-01T00:00:00.999999Z', '{}');
    await device.edit('{"n":1}');
    equal((await device.find()).at, '2031-01-01T00:00:01.000000Z');
  },
  async 'a change that is refused five times is a dead letter, and is offered again when somebody asks'(open) {
    const device = await Device.make(open);
    await device.edit('{"n":1}');
    const refuse = () => device.push({ status: 'refused', code: 'too_bad', detail: 'no' }, 'h1.1');
    for (let offers = 1; offers <= 5; ++offers) {
      await refuse();
      equal([device.local.waitingRefused, device.local.deadLetters], offers < 5 ? [1, 0] : [0, 1]);
    }
    equal((await device.local.nextBatch(true, 100)).items, []);
    await device.start();
    equal(device.local.deadLetters, 1);
    await device.local.retry('c', 'r');
    equal((await device.local.nextBatch(true, 100)).items.length, 1);
    await device.push({ status: 'applied', seq: 1 }, 'h1.1');
    equal([device.local.waitingRefused, device.local.deadLetters], [0, 0]);
  },
  async 'an edit of what was refused is offered as new'(open) {
    const device = await Device.make(open);
    await device.edit('{"n":1}');
    await device.push({ status: 'refused', code: 'too_bad', detail: 'no' }, 'h1.1');
    await device.edit('{"n":2}');
    equal(device.local.waitingRefused, 1);
    const batch = await device.local.nextBatch(true, 100);
    equal(batch.items.map((item) => [item.row.doc, item.wasRefused]), [['{"n":2}', false]]);
  },
  async 'batches end at their number of ops and their bytes'(open) {
    const device = await Device.make(open, { limits: { opsMax: 3, bytesMax: 1000 } });
    for (let i = 0; i < 5; ++i) await device.edit('{}', `r${i}`);
    let batch = await device.local.nextBatch(false, 100);
    equal([batch.items.length, batch.more], [3, true]);
    await device.push({ status: 'applied', seq: 1 }, 'h1.1');
    batch = await device.local.nextBatch(false, 100);
    equal([batch.items.length, batch.more], [2, false]);
    await device.push({ status: 'applied', seq: 1 }, 'h1.1');
    await device.edit(`{"t":"${'x'.repeat(700)}"}`, 'big1');
    await device.edit(`{"t":"${'x'.repeat(700)}"}`, 'big2');
    batch = await device.local.nextBatch(false, 100);
    equal([batch.items.length, batch.more], [1, true]);
    await device.push({ status: 'applied', seq: 1 }, 'h1.1');
    await device.edit(`{"t":"${'x'.repeat(5000)}"}`, 'huge');
    await device.push({ status: 'applied', seq: 1 }, 'h1.1');
    equal((await device.local.nextBatch(false, 100)).items.length, 1, 'one that is larger than a batch goes alone');
  },
  async 'a hub with another history is offered everything, and what it takes stays'(open) {
    const device = await Device.make(open);
    await device.deliver(1, kBefore, '{"n":1}', 'a');
    await device.deliver(2, kBefore, '{"n":2}', 'b');
    ok(device.local.isOtherHistory(parseCursor('h2.1')));
    await device.local.startOver();
    ok(device.local.pushEverythingFirst);
    const batch = await device.local.nextBatch(false, 100);
    equal(batch.items.map((item) => [item.row.id, item.base]), [['a', 0], ['b', 0]]);
    await device.push((_, i) => ({ status: 'noop', seq: i + 1 }), 'h2.2');
    ok(!device.local.pushEverythingFirst);
    await device.page('h2.2', [{ collection: 'c', id: 'a', seq: 1, at: kBefore, deleted: false, doc: '{"n":1}' }]);
    equal(Object.keys(await device.docs()), ['a', 'b']);
  },
  async 'reading from the beginning removes what the hub no longer lists, over pages and starts'(open) {
    const device = await Device.make(open);
    for (const [i, id] of ['a', 'b', 'c', 'd'].entries()) await device.deliver(i + 1, kBefore, `{"n":${i}}`, id);
    await device.edit('{"mine":1}', 'd');
    await device.edit('{"mine":2}', 'e');
    await device.local.readFromStart();
    await device.page('h1.1', [{ collection: 'c', id: 'a', seq: 1, at: kBefore, deleted: false, doc: '{"n":0}' }], true);
    await device.start();
    await device.page('h1.3', [{ collection: 'c', id: 'c', seq: 3, at: kBefore, deleted: false, doc: '{"n":2}' }]);
    equal(Object.keys(await device.docs()), ['a', 'c', 'd', 'e']);
  },
  async 'a discarded edit leaves what the hub has'(open) {
    const device = await Device.make(open);
    await device.deliver(1, kBefore, '{"n":1}');
    await device.edit('{"n":2}');
    await device.edit('{"n":3}');
    ok(await device.local.discard('c', 'r', (await device.find()).seq));
    equal((await device.find()).doc, '{"n":1}');
    equal(await device.base(), undefined);
    await device.edit('{"n":4}');
    equal(await device.base(), 1);
    await device.edit('{"new":1}', 'fresh');
    ok(await device.local.discard('c', 'fresh', (await device.find('fresh')).seq));
    equal(await device.find('fresh'), undefined);
    ok(!await device.local.discard('c', 'r', 1), 'a version that is not the newest');
  },
  async 'an edit that is discarded while its push is on the way is pulled if the hub took it'(open) {
    const device = await Device.make(open);
    await device.deliver(1, kBefore, '{"n":1}');
    await device.edit('{"n":2}');
    const batch = await device.local.nextBatch(false, 100);
    await device.local.discard('c', 'r', (await device.find()).seq);
    const settled = await device.local.settle(batch, { cursor: parseCursor('h1.2'),
      verdicts: [{ status: 'applied', seq: 2, at: undefined, version: undefined, code: '', detail: '' }] });
    equal([settled.needsPull, settled.cursor.seq], [true, 1]);
    await device.deliver(2, kLater, '{"n":2}');
    equal((await device.find()).doc, '{"n":2}');
  },
  async 'old deletions are dropped once the hub has them'(open) {
    const device = await Device.make(open);
    await device.deliver(1, kBefore, '{"n":1}');
    await device.deliver(2, kLater, '');
    await device.deliver(3, kBefore, '{"n":1}', 'mine');
    await device.edit('', 'mine');
    device.now += 181 * 86_400_000;
    await device.local.dropOldDeletions();
    equal(await device.find(), undefined);
    ok((await device.find('mine')).deleted, 'the deletion that still waits');
  },
  async 'declared indexes follow edits, deliveries and deletions'(open) {
    const device = await Device.make(open, { indexes: { c: ['n'] } });
    const list = () => device.store.read(async (tx) =>
      (await tx.entries('notes', 'c', 'n', { limit: 99 })).map((one) => one.id));
    await device.edit('{"n":10}', 'a');
    await device.edit('{"n":-3}', 'b');
    await device.deliver(1, kBefore, '{"n":2.5}', 'd');
    await device.deliver(2, kBefore, '{}', 'e');
    equal(await list(), ['b', 'd', 'a', 'e']);
    await device.edit('{"n":-4}', 'a');
    await device.edit('', 'b');
    equal(await list(), ['a', 'd', 'e']);
    await device.store.write((tx) => new Indexes({ c: ['m'] }).fit(tx, 'notes'));
    equal(await list(), []);
    await device.store.write((tx) => new Indexes({ c: ['n'] }).fit(tx, 'notes'));
    equal(await list(), ['a', 'd', 'e']);
  },
  async 'a document keeps its text from the hub to the hub'(open) {
    const device = await Device.make(open);
    const doc = '{"2":1.0,"1":9007199254740993,"a":"\\ud83d\\ude00","a":"x","e":1E2}';
    const body = `{"changes":[{"seq":1,"collection":"c","id":"r","updated_at":"${kBefore}","deleted":false,` +
      `"doc":${doc}}],"cursor":"h1.1","more":false}`;
    await device.local.apply(parsePage(body, device.local.state.cursor, 10));
    equal((await device.find()).doc, doc);
    await device.local.startOver();
    equal((await device.local.nextBatch(false, 100)).items[0].row.doc, doc);
  },
  async 'positions survive a start'(open) {
    const device = await Device.make(open);
    await device.page('h1-a.4.0.7', [{ collection: 'c', id: 'r', seq: 4, at: kBefore, deleted: false, doc: '{}' }]);
    const before = device.local.state;
    await device.start();
    equal(device.local.state, before);
    equal(await device.store.read((tx) => readState(tx, 'notes')), before);
    equal(device.local.history, 'h1-a');
  },
};
