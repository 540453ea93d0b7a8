// The example of README.md runs as it stands there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Hub as Caller } from '../dist/http.js';
import { Hub } from './harness.mjs';

let hub;
before(async () => { hub = await Hub.start(); });
after(() => hub.stop());

test('the first example of the README syncs with a hub', async () => {
  const root = new URL('..', import.meta.url).pathname;
  const [, example] = /```js\n([^]*?)```/.exec(readFileSync(`${root}README.md`, 'utf8'));
  // Below the package, so that its name leads to it.
  const file = `${root}build/readme_example.mjs`;
  writeFileSync(file, example);
  const key = hub.addKey();
  const env = { ...process.env, SYNCLINE_URL: hub.url, SYNCLINE_KEY: key };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env, timeout: 30_000 });
  rmSync(file);
  assert.match(stdout, /(now|local) \[ 'Milk' \]/);
  const { records } = await new Caller({ url: hub.url, key }).space('todo').list('items');
  assert.deepEqual(records.map((one) => [one.id, one.doc]), [['t1', { text: 'Milk', done: true }]]);
});
