import { expect, test } from 'vitest';
import cases from '../../../tests/sync_sentence_cases.json';
import { sentence, type Facts } from './sentence';
import { kIcons } from '../../build/icons.mjs';
import table from '../../../src/app/sync_sentences.json';

test.each(cases)('$state: $says', ({ facts, state, says }) => {
  const found = sentence(facts as unknown as Facts);
  expect([found.state, found.says]).toEqual([state, says]);
});

test('every state has a case, an icon and a word', () => {
  expect(new Set(cases.map((one) => one.state))).toEqual(new Set(table.map((one) => one.state)));
  for (const { icon, word } of table) {
    expect(kIcons).toHaveProperty(icon);
    expect(word).not.toBe('');
  }
});
