// The contrast of every pair of colours that is used (WCAG 2.2, 1.4.3 and 1.4.11), computed from the style sheet.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');
const sheets = { light: /:root \{\s*color-scheme: light;([^}]*)\}/, dark: /:root\[data-theme="dark"\] \{([^}]*)\}/,
  'dark by the system': /:root:not\(\[data-theme="light"\]\) \{([^}]*)\}/ };

const colours = (block: string): Record<string, string> =>
  Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9A-F]{6})/g)].map(([, name, value]) => [name, value]));

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light! + 0.05) / (dark! + 0.05);
}

const kText: [string, string][] = [
  ['text', 'bg'], ['text', 'surface'], ['text', 'sunken'], ['text', 'info-bg'], ['muted', 'bg'], ['muted', 'surface'], ['muted', 'sunken'],
  ['accent', 'bg'], ['accent', 'surface'], ['on-accent', 'accent'], ['on-bad', 'bad'], ['bad', 'surface'], ['bad', 'bg'],
  ['ok', 'ok-bg'], ['warn', 'warn-bg'], ['bad', 'bad-bg'], ['info', 'info-bg'], ['paused', 'paused-bg'], ['bg', 'text'],
];
const kControls: [string, string][] = [['border', 'surface'], ['border', 'sunken'], ['border', 'bg'], ['accent', 'surface'], ['accent', 'sunken']];

test('the formula gives the values of the standard', () => {
  expect(contrast('#000000', '#FFFFFF')).toBeCloseTo(21, 5);
  expect(contrast('#767676', '#FFFFFF')).toBeCloseTo(4.54, 2);
});

test.each(Object.entries(sheets))('%s: text has 4.5, and controls have 3', (_, pattern) => {
  const found = colours(pattern.exec(css)![1]!);
  for (const [pairs, least] of [[kText, 4.5], [kControls, 3]] as const) {
    for (const [front, back] of pairs) {
      expect(contrast(found[front]!, found[back]!), `${front} on ${back}`).toBeGreaterThanOrEqual(least);
    }
  }
});

test('both ways to the dark theme have the same colours', () => {
  expect(colours(sheets['dark by the system'].exec(css)![1]!)).toEqual(colours(sheets.dark.exec(css)![1]!));
});
