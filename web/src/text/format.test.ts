import { expect, test } from 'vitest';
import { count, countdown, foreign, shortTime } from './format';

const now = new Date(2026, 10, 26, 18, 0, 0).getTime();  // a Thursday
const ago = (seconds: number) => shortTime(now - seconds * 1000, now);

test('times of the last hour are relative, the others name hour or day', () => {
  expect(ago(12)).toMatch(/^12s? ?s? ago|12 sec/);
  expect(ago(59 * 60)).toContain('59');
  expect(ago(3 * 3600)).toMatch(/^Today .*3:00|^Today 15:00/);
  expect(ago(2 * 86_400)).toMatch(/^Tue /);
  expect(ago(10 * 86_400)).toMatch(/16/);
  expect(ago(400 * 86_400)).toMatch(/2025/);
});

test('a time to come is no time ago', () => {
  expect(shortTime(now + 5000, now)).toMatch(/^Today/);
});

test('a countdown ends at 0:00', () => {
  expect([300, 61, 59.2, 0, -5].map(countdown)).toEqual(['5:00', '1:01', '1:00', '0:00', '0:00']);
});

test('large counts are short', () => {
  expect([0, 9999, 12_400, 3_200_000].map(count)).toEqual(['0', '9,999', '12.4 k', '3.2 M']);
});

test('text that would not be seen, or turns what follows, is shown by its number', () => {
  expect(foreign('a\u202eb\u200bc\u0007')).toBe('a⟨U+202E⟩b⟨U+200B⟩c⟨U+0007⟩');
  expect(foreign('line\nwith\ttabs, ümlauts and 😀')).toBe('line\nwith\ttabs, ümlauts and 😀');
});
