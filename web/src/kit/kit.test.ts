import { expect, test } from 'vitest';
import { pathOf } from './chart';
import { diffWords } from './diff';

const marked = (before: string, after: string) => diffWords(before, after).map(({ kind, text }) =>
  ({ same: text, added: `[+${text}]`, removed: `[-${text}]` })[kind]).join('');

test('a diff marks words that came and went', () => {
  expect(marked('call back Acme', 'call back Acme')).toBe('call back Acme');
  expect(marked('call Acme', 'call Acme now')).toBe('call Acme[+ now]');
  expect(marked('a b c', 'a x c')).toBe('a [-b][+x] c');
  expect(marked('', 'new')).toBe('[+new]');
  expect(marked('old', '')).toBe('[-old]');
});

test('a diff loses nothing of either text', () => {
  let seed = 7;
  const word = () => 'abc'[(seed = (seed * 1103515245 + 12345) % 2 ** 31) % 3]!;
  for (let run = 0; run < 200; ++run) {
    const [before, after] = [0, 1].map(() => Array.from({ length: run % 12 }, word).join(' '));
    const pieces = diffWords(before!, after!);
    expect(pieces.filter((one) => one.kind !== 'added').map((one) => one.text).join('')).toBe(before);
    expect(pieces.filter((one) => one.kind !== 'removed').map((one) => one.text).join('')).toBe(after);
  }
});

test('two long texts are compared in bounded time', () => {
  const long = (letter: string) => `${letter} `.repeat(20_000);
  expect(diffWords(long('a'), long('b'))).toHaveLength(3);  // the last blank is the same
});

test('a line of a chart has a gap where there is no value', () => {
  expect(pathOf([0, 1, null, 1, null, 0], 1).match(/M/g)).toHaveLength(3);
  expect(pathOf([0, null], 1)).toMatch(/h1$/);
  expect(pathOf([null, null], 0)).toBe('');
});
