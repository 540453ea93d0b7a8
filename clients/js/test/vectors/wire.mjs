// Replays what is read and written of the native API.
import assert from 'node:assert/strict';
import {
  historyOf, knowsThrough, NotUnderstood, opText, parseCursor, parsePage, parsePushAnswer, pullPath, pushBody, spacePath,
} from '#internals';
import { number, text } from './read.mjs';

const versionOf = ({ collection, id, seq, at, deleted, doc }) =>
  ({ collection, id, seq: text(seq), updated_at: at, deleted, doc });

const kReads = {
  cursor(vector) {
    const cursor = parseCursor(vector.text);
    return cursor === undefined ? null : {
      epoch: cursor.epoch,
      seq: text(cursor.seq),
      incarnation: cursor.incarnation,
      knows_through: text(knowsThrough(cursor)),
      history: historyOf(cursor),
      text: cursor.text,
    };
  },
  page({ body, since, limit }) {
    const page = parsePage(body, parseCursor(since), limit);
    return {
      cursor: page.cursor.text,
      more: page.more,
      versions: page.versions.map(versionOf),
      damaged: page.damaged.map(({ collection, id, seq, isReplaced }) =>
        ({ collection, id, seq: text(seq), replaced: isReplaced })),
    };
  },
  'push answer'({ body, ops }) {
    const answer = parsePushAnswer(body, ops);
    return {
      cursor: answer.cursor.text,
      verdicts: answer.verdicts.map(({ status, seq, at, version, code, detail }) => ({
        status, seq: text(seq), ...(at === undefined ? {} : { updated_at: at }),
        ...(version === undefined ? {} : { version: versionOf(version) }), code, detail,
      })),
    };
  },
};

const kWrites = {
  pull: ({ space, since, known, limit }) => pullPath(space, parseCursor(since), parseCursor(known), limit, false),
  push({ space, history, known, ops }) {
    const texts = ops.map((op) => opText({ ...op, at: op.updated_at }, number(op.base)));
    return { target: `${spacePath(space)}/push`, body: pushBody(history, parseCursor(known), texts) };
  },
};

export function replayWire(vector) {
  const { where } = vector;
  if (vector.write !== undefined) return assert.deepEqual(kWrites[vector.write](vector), vector.then, where);
  const read = () => kReads[vector.read](vector);
  if (vector.then?.fault !== undefined) return assert.throws(read, NotUnderstood, where);
  assert.deepEqual(read(), vector.then, where);
}
