import { expect, test } from 'vitest';
import { choose, setLanguage, t } from './index';
import { en } from './en';

test('the first wanted language that there are words for is shown', () => {
  expect(choose(['de-AT', 'en'], ['de'])).toBe('de');
  expect(choose(['fr', 'en-GB', 'de'], ['de'])).toBe('en');
  expect(choose(['pt-BR'], ['pt-br', 'pt'])).toBe('pt-br');
  expect(choose(['fr'], ['de'])).toBe('en');
});

test('another language replaces all words', async () => {
  Object.assign(globalThis, { document: { documentElement: {} } });
  await setLanguage(['de'], { de: async () => ({ ...en, undo: 'Rückgängig' }) });
  expect(t.undo).toBe('Rückgängig');
  expect(document.documentElement.lang).toBe('de');
  await setLanguage(['en']);
  expect(t.undo).toBe('Undo');
});
