// Documents cut out of answers as text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { docsAsText, faultOfDoc, kBeginning, NotUnderstood, opText, parseCursor, parsePage, parsePushAnswer, sortText,
} from '#internals';

const hard = [
  '{}',
  '{"a":1.0,"b":9007199254740993,"c":1e400,"d":-0,"2":1,"1":2}',
  '{"a":1,"a":2,"\\u0061":3}',
  '{"doc":{"doc":{"a":"}"}}}',
  '{"t":"{\\"doc\\":{}}\\\\"}',
  '{"t":"\\\\\\"","u":"\\ud800","v":"\\udc00\\ud800","w":"\u{1f600}\\u0000"}',
  '{ "a" : [ { "b" : "]" } , [ ] ] ,\n\t"c" : { } }',
  `{"deep":${'['.repeat(60)}${']'.repeat(60)}}`,
  '{"":"","\\"doc\\"":{"doc":1}}',
];

for (const doc of hard) {
  test(`the text of ${doc.slice(0, 60)} stays as it is`, () => {
    const page = JSON.parse(docsAsText(`{"changes":[{"doc":${doc},"id":"a"},{"x":"doc","doc" :\n${doc}}],"doc":${doc}}`));
    assert.equal(page.changes[0].doc, doc);
    assert.equal(page.changes[1].doc, doc);
    assert.equal(page.doc, doc);
    assert.equal(page.changes[0].id, 'a');
  });
}

test('random documents between hard neighbours come out byte for byte', () => {
  let seed = 3;
  const random = (n) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
  const strings = ['"doc"', '"\\\\"', '"\\""', '"}"', '"{\\"doc\\":{"', '"\\ud800"', '"ä"', '""'];
  const value = (depth) => {
    const kind = random(depth > 4 ? 3 : 6);
    if (kind === 0) return strings[random(strings.length)];
    if (kind === 1) return ['1.0', '-0', '9007199254740993', '1E+2', '0.1'][random(5)];
    if (kind === 2) return ['true', 'false', 'null'][random(3)];
    if (kind === 3) return `[${Array.from({ length: random(4) }, () => value(depth + 1)).join(', ')}]`;
    return object(depth + 1);
  };
  const object = (depth) =>
    `{${Array.from({ length: random(4) }, () => `${strings[random(strings.length)]} :${value(depth)}`).join(',')}}`;
  for (let i = 0; i < 2000; ++i) {
    const doc = object(0);
    const name = strings[random(strings.length)];
    const text = `{"changes":[{"id":${name},"doc":${doc},"n":1},{"id":"doc","doc":${doc}}],"more":false}`;
    const page = JSON.parse(docsAsText(text));
    assert.deepEqual(page.changes.map((one) => one.doc), [doc, doc]);
    assert.equal(page.changes[0].n, 1);
  }
});

test('the form with texts, which newer hubs send, stays as it is', () => {
  const text = JSON.stringify({ changes: [{ doc: '{"a":1.0,"doc":{}}' }] });
  assert.equal(docsAsText(text), text);
});

test('an answer that is cut at any place is no answer', () => {
  const whole = '{"changes":[{"seq":1,"collection":"c","id":"r","updated_at":"2026-01-01T00:00:00Z","deleted":false,' +
    '"doc":{"a":["x\\"",{"b":1.0}]}}],"cursor":"h-1.1","more":false}';
  assert.equal(parsePage(whole, kBeginning, 10).versions[0].doc, '{"a":["x\\"",{"b":1.0}]}');
  for (let end = 0; end < whole.length; ++end) {
    assert.throws(() => parsePage(whole.slice(0, end), kBeginning, 10), NotUnderstood, `cut at ${end}`);
  }
});

test('a document that is not JSON is no answer', () => {
  for (const doc of ['{a}', '{"a":1,}', '{"a":01}', '{]}', '[1]', '"x"', '5']) {
    const text = `{"changes":[{"seq":1,"collection":"c","id":"r","updated_at":"2026-01-01T00:00:00Z","doc":${doc}}],` +
      '"cursor":"h.1","more":false}';
    assert.throws(() => parsePage(text, kBeginning, 10), NotUnderstood, doc);
  }
});

test('pages and verdicts that make no sense are refused', () => {
  const page = (changes, more = '') => `{"changes":[${changes}],"cursor":"h.1","more":false${more}}`;
  const record = '{"seq":1,"collection":"c","id":"r","updated_at":"2026-01-01T00:00:00Z","deleted":true}';
  assert.equal(parsePage(page(record), kBeginning, 1).versions[0].at, '2026-01-01T00:00:00.000000Z');
  assert.throws(() => parsePage(page(Array(502).fill(record).join()), kBeginning, 1), NotUnderstood);
  for (const bad of ['null', '{}', record.replace('1', '1.5'), record.replace('1', '-1'), record.replace('Z', '')]) {
    assert.throws(() => parsePage(page(bad), kBeginning, 10), NotUnderstood, bad);
  }
  assert.deepEqual(parsePage(page('{"seq":7,"damaged":true}', ',"damaged":[{"seq":2,"collection":"c","id":"x",' +
    '"damaged":true,"replaced":true}]'), kBeginning, 10).damaged, [
    { collection: '', id: '', seq: 7, isReplaced: false }, { collection: 'c', id: 'x', seq: 2, isReplaced: true }]);
  const verdicts = (results) => `{"cursor":"h.1","results":[${results}]}`;
  assert.equal(parsePushAnswer(verdicts('{"status":"applied","seq":1}'), 1).verdicts[0].seq, 1);
  assert.throws(() => parsePushAnswer(verdicts(''), 1), NotUnderstood);
  assert.throws(() => parsePushAnswer(verdicts('{"status":"applied"}'), 1), NotUnderstood);
  assert.throws(() => parsePushAnswer(verdicts('{"status":"odd","seq":1}'), 1), NotUnderstood);
});

test('an op carries its document as it is', () => {
  const at = '1970-01-01T00:00:01.000002Z';
  const op = opText({ collection: 'c', id: '"', at, deleted: false, doc: '{"a":1.0}' }, 7);
  assert.equal(op, '{"collection":"c","id":"\\"","updated_at":1000002,"base":7,"doc":{"a":1.0}}');
  assert.equal(opText({ collection: 'c', id: 'x', at, deleted: true, doc: '' }, 0),
    '{"collection":"c","id":"x","updated_at":1000002,"base":0,"deleted":true}');
});

test('cursors are read as hubs write them, and nothing else is one', () => {
  assert.deepEqual(parseCursor('0'), kBeginning);
  assert.equal(parseCursor('e1-ff.3').incarnation, 'ff');
  assert.equal(parseCursor('e1-ff.3.0.9').heardThrough, 9);
  for (const bad of ['e', 'e.', 'e.-1', '.1', 'e.1.2.3', 'e-.1', 'e.1.2.3.4', 'ä.1', 5, undefined]) {
    assert.equal(parseCursor(bad), undefined, String(bad));
  }
});

test('what the hub would refuse in a document is found before', () => {
  assert.equal(faultOfDoc(JSON.stringify({ a: '\u{1f600}', b: '\\ud800' })), undefined);
  assert.match(faultOfDoc(JSON.stringify({ a: '\ud800' })), /surrogate/);
  assert.match(faultOfDoc(JSON.stringify({ a: '\\\udfff' })), /surrogate/);
  assert.match(faultOfDoc('[1]'), /object/);
  assert.match(faultOfDoc(JSON.stringify({ a: 'ä'.repeat(9 * 2 ** 20) })), /16 MiB/);
  const nested = (levels) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
  assert.equal(faultOfDoc(nested(64)), undefined);
  assert.match(faultOfDoc(nested(65)), /64 levels/);
});

test('sort texts order values as people do', () => {
  const values = [null, false, true, -Infinity, -10, -9.5, -1e-300, 0, 1e-300, 2, 10, 1e300, '', 'a', 'b', [], undefined];
  const texts = values.map(sortText);
  assert.deepEqual([...texts].sort(), texts);
  assert.equal(sortText(-0), sortText(0));
});
