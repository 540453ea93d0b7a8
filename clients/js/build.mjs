// Builds dist/: the entries with what they share, for browsers and Node, and the types.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { minify } from 'terser';

const root = new URL('.', import.meta.url).pathname;
rmSync(`${root}dist`, { recursive: true, force: true });
const common = { bundle: true, target: 'es2022', absWorkingDir: root, logLevel: 'warning' };
// Each entry whole: what two entries share as a chunk of its own compresses worse than twice the same. Split only for
// what few pages load: the store in memory, and the list of conflicts, which needs the hub anyway. The store of Node is
// built with the main entry, which calls it by the short names.
// Names between the parts of the library, which no program, database or other tab sees, get short: a name of what is
// stored would be another one in the next build.
const internal = new RegExp(`^(${[
  'admit', 'adopt', 'answer', 'apply', 'awaits', 'backOffMaxMs', 'backOffMinMs', 'bytesMax', 'change', 'countOwn',
  'countRefused', 'cycles', 'cyclesAfterNext', 'database', 'deadLetters', 'declared', 'disconnect',
  'dropOldDeletions', 'edit', 'emit', 'failed', 'failures', 'finish', 'fit', 'forget', 'hasCopies', 'hasDocsAsText',
  'heardThrough', 'incarnation', 'invoke', 'isEnded', 'isFailing', 'isLeader', 'isOff', 'isOtherHistory', 'isPartial',
  'isReplaced', 'isRunning', 'items', 'keepEarlier', 'keyChanged', 'lastEventId', 'limits', 'linkDown', 'linkLost', 'linkUp',
  'losses', 'machine', 'mark', 'mayHaveMissed', 'measure', 'needsPull', 'nextBatch', 'nextTryMs', 'note',
  'noteHubHead', 'noteLocalWrite', 'noteWrite', 'notify', 'onCommit', 'onError', 'onLead', 'onLoss', 'onLost',
  'onMessage', 'onStep', 'opsMax', 'pageMax', 'parts', 'place', 'progress', 'pulled', 'pushEverythingFirst',
  'putEarlier', 'putEntry', 'putNote', 'readFromStart', 'ready', 'release', 'removeEarlier', 'removeEntry',
  'removeNote', 'replica', 'report', 'row', 'scan', 'session', 'setKeyUnchecked', 'setValue', 'settle', 'sharedName',
  'sinceMs', 'sleep', 'startOver', 'stepTimeoutMs', 'syncNow', 'syncedMs', 'through', 'ticket', 'touch', 'tx',
  'verdicts', 'versions', 'waitingRefused', 'wake', 'wakeAtMs', 'wasRefused', 'wasTakenBack', 'watchers', 'withRefused',
].join('|')})$`);
await build({ ...common, minify: true, mangleProps: internal, splitting: true, format: 'esm', outdir: 'dist',
  chunkNames: '[name]', entryPoints: { index: 'src/index.ts', sqlite: 'src/sqlite/index.ts' } });
await build({ ...common, minify: true, format: 'esm', entryPoints: ['src/http/index.ts'], outfile: 'dist/http.js' });
await build({ ...common, minify: true, format: 'cjs', entryPoints: ['src/http/index.ts'], outfile: 'dist/http.cjs' });
const helpers = ['kernle', 'kaisho', 'commands'];
await build({ ...common, minify: true, format: 'esm', outdir: 'dist',
  entryPoints: Object.fromEntries(helpers.map((name) => [name, `src/${name}/index.ts`])) });
// What esbuild leaves: 3 % of what pages load. Functions first in their scope, and constants where the source has them,
// compress better.
const compress = { passes: 3, hoist_funs: true, lhs_constants: false };
for (const name of ['index', 'http', 'sqlite', ...helpers]) {
  const file = `${root}dist/${name}.js`;
  const { code } = await minify(readFileSync(file, 'utf8'), { module: true, ecma: 2020, compress });
  writeFileSync(file, code);
}
// For the tests, which run it in Node and in a browser.
await build({ ...common, format: 'esm', entryPoints: ['test/internals.ts'], outfile: 'build/internals.js' });
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', root], { stdio: 'inherit' });
// The CommonJS build has types of its own: to TypeScript, a program that requires it cannot see those of a module.
for (const name of readdirSync(`${root}dist/http`).filter((one) => one.endsWith('.d.ts'))) {
  const text = readFileSync(`${root}dist/http/${name}`, 'utf8').replace(/(from '\.\/[^']+)\.js'/g, "$1.cjs'");
  writeFileSync(`${root}dist/http/${name.replace(/ts$/, 'cts')}`, text);
}
