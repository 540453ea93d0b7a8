// Builds dist/: one file per entry for browsers and Node, and the types. Prints the gzipped sizes.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = new URL('.', import.meta.url).pathname;
rmSync(`${root}dist`, { recursive: true, force: true });
const common = { bundle: true, minify: true, target: 'es2022', absWorkingDir: root, logLevel: 'warning' };
const entries = [
  { entryPoints: ['src/http/index.ts'], outfile: 'dist/http.js', format: 'esm' },
  { entryPoints: ['src/http/index.ts'], outfile: 'dist/http.cjs', format: 'cjs' },
  { entryPoints: ['src/index.ts'], outfile: 'dist/index.js', format: 'esm' },
];
for (const entry of entries) {
  await build({ ...common, ...entry });
  console.log(`${entry.outfile} ${gzipSync(readFileSync(root + entry.outfile), { level: 9 }).length} bytes`);
}
// For the tests, which run it in Node and in a browser.
await build({ ...common, minify: false, entryPoints: ['test/internals.ts'], outfile: 'build/internals.js', format: 'esm' });
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', root], { stdio: 'inherit' });
