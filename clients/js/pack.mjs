// Makes the package that is published, in build/package: what build.mjs and docs.mjs have made, without what only this
// folder's tests and tools need. `npm publish build/package` publishes it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const root = new URL('.', import.meta.url).pathname;
const target = `${root}build/package/`;
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const { imports, scripts, devDependencies, ...manifest } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
writeFileSync(`${target}package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
for (const path of manifest.files) cpSync(root + path, target + path, { recursive: true });
