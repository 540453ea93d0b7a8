// The packed library, as programs install it: check 27.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const tools = join(root, 'test/packaging/node_modules');
const entries = ['', '/http', '/sqlite', '/kernle', '/kaisho', '/commands'];
let directory, project, tarball, packed;

const run = (command, args, cwd) => {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout}${error.stderr}`);
  }
};
const installed = () => join(project, 'node_modules/@syncline/client');
const write = (name, text) => writeFileSync(join(project, name), text);

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'syncline-package-'));
  project = join(directory, 'program');
  mkdirSync(project);
  run(process.execPath, ['pack.mjs'], root);
  const [made] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
    join(root, 'build/package')));
  tarball = join(directory, made.filename);
  packed = made.files.map(({ path }) => path);
  write('package.json', '{"name": "program", "private": true, "type": "module"}');
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball], project);
});
after(() => rmSync(directory, { recursive: true, force: true }));

test('check 27: the package has the entries, their types and the README, and nothing else', () => {
  const kExpected = /^(package\.json|README\.md|docs\/\w+\.md|dist\/.+\.(js|cjs|d\.ts|d\.cts))$/;
  for (const path of packed) assert.match(path, kExpected);
  const { exports, sideEffects, dependencies } = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8'));
  assert.deepEqual([sideEffects, dependencies], [false, undefined]);
  const targets = JSON.stringify(exports).matchAll(/"\.\/(dist\/[^"]+)"/g);
  for (const [, target] of targets) assert.ok(packed.includes(target), target);
});

test('check 27: the packed entries keep to their sizes', () => {
  for (const [name, kilobytes] of [['http', 5], ['index', 18], ['kernle', 3], ['kaisho', 3], ['commands', 3]]) {
    const { length } = gzipSync(readFileSync(join(installed(), `dist/${name}.js`)), { level: 9 });
    assert.ok(length <= kilobytes * 1024, `${name}: ${length} bytes`);
  }
});

const kProgram = `
import assert from 'node:assert/strict';
import { open } from '@syncline/client';
import { Hub, SynclineError } from '@syncline/client/http';
import { kaisho } from '@syncline/client/kaisho';
import { kernle } from '@syncline/client/kernle';
import { commands } from '@syncline/client/commands';
import { sqlite } from '@syncline/client/sqlite';

const db = await open({ name: 'todo', store: 'memory' });
const items = db.space('todo').collection('items');
await items.put('t1', { text: 'Milk' });
assert.deepEqual(await items.get('t1'), { text: 'Milk' });
await kaisho(db).timer.start({ customer: 'Acme' });
assert.equal((await kaisho(db).timer.stop()).customer, 'Acme');
const { id } = await kernle(db, 'claire').remember({ text: 'Check the logs first' });
assert.match(id, /^notes\\/m_[a-z2-7]{26}$/);
const hub = new Hub({ url: 'http://127.0.0.1:9', key: 'none', timeoutMs: 2000 });
await assert.rejects(commands(hub).submit({ type: 'execute_bash', command: 'make' }), (error) => error.retry === 'later');
assert.ok(new SynclineError('a', 'b') instanceof Error);
db.close();
// Node has SQLite from 22 on.
const openFile = () => open({ name: 'todo', store: sqlite('todo.db') });
if (process.versions.node.split('.')[0] >= 22) {
  for (const text of [undefined, 'Milk']) {
    const file = await openFile();
    assert.equal((await file.space('todo').collection('items').get('t1'))?.text, text);
    await file.space('todo').collection('items').put('t1', { text: 'Milk' });
    file.close();
  }
} else {
  await assert.rejects(openFile(), { code: 'no_store' });
}
console.log('ran on', process.version);
`;
const kRequiring = `
const { Hub, NotFound } = require('@syncline/client/http');
if (typeof Hub !== 'function' || new NotFound('a', 'b').name !== 'NotFound') process.exit(1);
console.log('ran on', process.version);
`;

for (const release of [18, 20, 22]) {
  test(`check 27: the packed library runs on Node ${release}`, () => {
    const node = join(tools, `node${release}/bin/node`);
    // There are no binaries for other machines: there the tests' own Node must do.
    const isHere = existsSync(node) || process.arch === 'x64';
    write('program.mjs', kProgram);
    write('requiring.cjs', kRequiring);
    for (const program of ['program.mjs', 'requiring.cjs']) {
      const out = run(isHere ? node : process.execPath, [program], project);
      assert.match(out, isHere ? new RegExp(`^ran on v${release}\\.`) : /^ran on v/);
    }
  });
}

const kTyped = `
import { open, ConflictError, type Status } from '@syncline/client';
import { Hub, type CollectionInfo } from '@syncline/client/http';
import { commands, type Command } from '@syncline/client/commands';
import { kaisho, type Entry, type Row } from '@syncline/client/kaisho';
import { kernle, type Memory } from '@syncline/client/kernle';
import { sqlite } from '@syncline/client/sqlite';

interface Item { text: string; done: boolean }
const db = await open({ name: 'todo', key: async () => 'key', spaces: ['todo'], store: 'memory' });
const items = db.space('todo').collection<Item>('items');
await items.put('t1', { text: 'Milk', done: false });
await items.patch('t1', (old) => old && { ...old, done: true });
const found = await items.query({ where: { done: false }, order: 'text', limit: 50 });
const texts: string[] = found.map(({ doc }) => doc.text);
const stop: () => void = items.watch({}, (list, why) => { if (why === 'hub') texts.push(...list.map((one) => one.id)); });
const status: Status = db.status.get();
const hub = new Hub({ url: 'https://hub.example.org' });
const collections: CollectionInfo[] = await hub.space('todo').collections();
const entry: Row<Entry> = await kaisho(db).timer.start({ customer: 'Acme' });
const memories: Memory[] = await kernle(db, 'claire').search('logs', { kinds: ['note'] });
const command: Command = await (await commands(hub).submit({ type: 'execute_bash', command: 'make' })).result();
const file = await open({ name: 'todo', store: sqlite('todo.db') });
file.close();
// @ts-expect-error: the store needs the name of a file
sqlite();
// @ts-expect-error: not of this collection
await items.put('t2', { text: 'Bread' });
// @ts-expect-error: with exactOptionalPropertyTypes, absent is not undefined
await open({ name: 'todo', url: undefined });
// @ts-expect-error: no such kind
await kernle(db, 'claire').remember({ text: 'x', kind: 'rumour' });
// @ts-expect-error: the id of a row stays
entry.id = 'another';
export { ConflictError, collections, command, entry, memories, status, stop, texts };
`;

for (const [module, resolution] of [['NodeNext', 'NodeNext'], ['ESNext', 'Bundler']]) {
  test(`check 27: a strict program compiles against the packed types, resolved as ${resolution} does`, () => {
    write('typed.ts', kTyped);
    write('tsconfig.json', JSON.stringify({ compilerOptions: { target: 'ES2022', lib: ['ES2022', 'DOM', 'DOM.Iterable'],
      module, moduleResolution: resolution, types: [], strict: true, exactOptionalPropertyTypes: true, noEmit: true,
      noUncheckedIndexedAccess: true, skipLibCheck: false }, files: ['typed.ts'] }));
    run(process.execPath, [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', project], project);
  });
}

test('check 27: publint has nothing to say', () => {
  run(process.execPath, [join(tools, 'publint/src/cli.js'), 'run', tarball, '--strict'], root);
});

test('check 27: are-the-types-wrong finds the types of each entry', async () => {
  const { checkPackage, Package } = await import(join(tools, '@arethetypeswrong/core/dist/index.js'));
  const files = Object.fromEntries(packed.map((path) =>
    [`/node_modules/@syncline/client/${path}`, readFileSync(join(installed(), path), 'utf8')]));
  const { types, problems } = await checkPackage(new Package(files, '@syncline/client', '0.1.0'));
  assert.equal(types.kind, 'included');
  // Before Node 16 there were no exports; and all entries but http are modules only.
  const isMeant = ({ kind, resolutionKind, entrypoint }) => resolutionKind === 'node10' ||
    (kind === 'CJSResolvesToESM' && entrypoint !== './http');
  assert.deepEqual(problems.filter((problem) => !isMeant(problem)), []);
});

test('what a program does not use is not in its bundle', async () => {
  write('unused.mjs', `${entries.map((entry, i) => `import * as all${i} from '@syncline/client${entry}';`).join('\n')}\n`);
  const outfile = join(project, 'bundle.js');
  await build({ entryPoints: [join(project, 'unused.mjs')], bundle: true, format: 'esm', minify: true, outfile,
    logLevel: 'error' });
  assert.equal(statSync(outfile).size, 0);
});
