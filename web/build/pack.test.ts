import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { pack } from './pack.mjs';

const directory = mkdtempSync(join(tmpdir(), 'syncline-pack-'));
afterAll(() => rmSync(directory, { recursive: true }));

function fill(names: string[]): string {
  const at = mkdtempSync(join(directory, 'dist-'));
  mkdirSync(join(at, 'a'));
  for (const name of names) writeFileSync(join(at, name), name.repeat(200));
  writeFileSync(join(at, 'a/tiny.js'), 'x');
  return at;
}

test('the same files give the same pack, whenever and in whatever order they were written', () => {
  const one = pack(fill(['index.html', 'a/b.js', 'a/a.js'])).bytes;
  const other = pack(fill(['a/a.js', 'a/b.js', 'index.html'])).bytes;
  expect(one.equals(other)).toBe(true);
  expect(one.equals(pack(fill(['index.html', 'a/b.js', 'a/c.js'])).bytes)).toBe(false);
});

test('the forms of a file have its content, and a form that saves nothing is left out', () => {
  for (const { path, bytes, gzip, brotli } of pack(fill(['index.html'])).files) {
    if (path === 'a/tiny.js') {
      expect([gzip.length, brotli.length]).toEqual([0, 0]);
      continue;
    }
    expect(gunzipSync(gzip).equals(bytes)).toBe(true);
    expect(brotliDecompressSync(brotli).equals(bytes)).toBe(true);
  }
});
