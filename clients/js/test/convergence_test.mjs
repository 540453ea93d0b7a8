// A real node, this library and a hub: edits of the same records on both devices at random, over a link that loses
// answers, end in the same state everywhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { open } from '../dist/index.js';
import { Hub as Caller } from '../dist/http.js';
import { binary, Hub, Proxy, until } from './harness.mjs';

const kSpace = 'notes';
const kRecords = 10;
const kRounds = 60;

/** A node process on a port of its own. */
class Node {
  static async start() {
    const node = new Node();
    node.directory = mkdtempSync(join(tmpdir(), 'syncline-js-node-'));
    node.process = spawn(binary, ['node', '--data', join(node.directory, 'data'), '--listen', '127.0.0.1:0'],
      { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    node.process.stdout.on('data', (bytes) => { out += bytes; });
    node.url = await until(() => /ready at (\S+)\n/.exec(out)?.[1], "the node's start");
    node.space = new Caller({ url: node.url, key: 'none' }).space(kSpace);
    return node;
  }
  async connect(url, key) {
    const answer = await fetch(`${this.url}/api/cloud-sync/connect`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ url, api_key: key }) });
    assert.equal(answer.status, 200, await answer.text());
  }
  async stop() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Of the live records: ids, stamps and documents. */
function stateHash(records) {
  const lines = records.map(({ id, updatedAt, doc }) => JSON.stringify([id, updatedAt, doc])).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
const hashOf = async (space) => stateHash((await space.list('items')).records
  .map(({ id, updated_at: updatedAt, doc }) => ({ id, updatedAt, doc })));

test('a node and this library converge with their hub', async (t) => {
  const seed = Number(process.env.SYNCLINE_SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`SYNCLINE_SEED=${seed}`);
  let state = seed;
  const below = (end) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31, Math.floor(state / 2 ** 8) % end);

  const hub = await Hub.start();
  const proxy = await Proxy.start(hub.url);
  const node = await Node.start();
  let db;
  try {
    const key = hub.addKey();
    await node.space.push([{ collection: 'items', id: 'r0', doc: { from: 'node' } }]);
    await node.connect(hub.url, key);
    db = await open({ name: 'both', store: 'memory', url: proxy.url, key, spaces: [kSpace], sync: { windowMs: 20 } });
    const items = db.space(kSpace).collection('items');
    proxy.rule = ({ path }) => (path.includes('/push') || path.includes('/changes')
      ? [undefined, undefined, undefined, undefined, 'twice', 'lose', 'refuse'][below(7)] : undefined);
    for (let round = 0; round < kRounds; ++round) {
      const id = `r${below(kRecords)}`;
      const deletes = below(5) === 0;
      const doc = { round, text: `ü${below(3)}` };
      if (below(2) === 0) {
        await (deletes ? items.delete(id) : items.put(id, doc));
      } else {
        await node.space.push([{ collection: 'items', id, ...(deletes ? { deleted: true } : { doc }) }]);
      }
      if (below(4) === 0) await new Promise((resolve) => setTimeout(resolve, below(60)));
      if (below(6) === 0) db.synced({ timeoutMs: 200 }).catch(() => undefined);  // does not wait for the back-off
    }
    proxy.rule = () => undefined;
    await db.synced({ timeoutMs: 20_000 });
    const admin = new Caller({ url: hub.url, key }).space(kSpace);
    let hashes;
    await until(async () => {
      hashes = { hub: await hashOf(admin), node: await hashOf(node.space), library: stateHash(await items.query()) };
      return db.status.get().pending === 0 && new Set(Object.values(hashes)).size === 1;
    }, `one state (seed ${seed})`).catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(hashes)}`); });
    assert.notEqual(hashes.hub, stateHash([]), 'nothing was written');
  } finally {
    db?.close();
    await node.stop();
    await proxy.stop();
    await hub.stop();
  }
});
