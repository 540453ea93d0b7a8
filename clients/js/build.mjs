// Builds dist/: the entries with what they share, for browsers and Node, and the types.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('.', import.meta.url).pathname;
rmSync(`${root}dist`, { recursive: true, force: true });
const common = { bundle: true, target: 'es2022', absWorkingDir: root, logLevel: 'warning' };
// Each entry whole: what two entries share as a chunk of its own compresses worse than twice the same. Split only for
// the store in memory, which pages of browsers do not load.
await build({ ...common, minify: true, splitting: true, format: 'esm', outdir: 'dist', chunkNames: '[name]-[hash]',
  entryPoints: { index: 'src/index.ts' } });
await build({ ...common, minify: true, format: 'esm', entryPoints: ['src/http/index.ts'], outfile: 'dist/http.js' });
await build({ ...common, minify: true, format: 'cjs', entryPoints: ['src/http/index.ts'], outfile: 'dist/http.cjs' });
// For the tests, which run it in Node and in a browser.
await build({ ...common, format: 'esm', entryPoints: ['test/internals.ts'], outfile: 'build/internals.js' });
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', root], { stdio: 'inherit' });
