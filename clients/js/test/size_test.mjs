// What a page loads, gzipped: the entry and all that it imports before it runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);

function load(name, seen = new Map()) {
  if (seen.has(name)) return seen;
  const text = readFileSync(new URL(name, dist), 'utf8');
  seen.set(name, gzipSync(text, { level: 9 }).length);
  for (const [, next] of text.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) load(next, seen);
  return seen;
}

for (const [name, kilobytes] of [
  ['http.js', 5], ['index.js', 18], ['kernle.js', 3], ['kaisho.js', 3], ['commands.js', 3],
]) {
  test(`${name} with its imports takes at most ${kilobytes} kB`, (t) => {
    const sizes = load(name);
    const total = [...sizes.values()].reduce((sum, one) => sum + one, 0);
    t.diagnostic(`${total} bytes in ${sizes.size} files`);
    assert.ok(total <= kilobytes * 1024, `${total} bytes: ${JSON.stringify([...sizes])}`);
  });
}

test('the library has no dependencies, and nothing of Node in it', () => {
  assert.equal(JSON.parse(readFileSync(new URL('../package.json', import.meta.url))).dependencies, undefined);
  for (const name of ['http.js', 'index.js', 'kernle.js', 'kaisho.js', 'commands.js'].flatMap((one) => [...load(one).keys()])) {
    assert.doesNotMatch(readFileSync(new URL(name, dist), 'utf8'), /\bfrom"(?!\.\/)|\brequire\(|\bprocess\./, name);
  }
});
