// Replays clients/vectors, which the hub's C++ has made: the same decisions, times and bytes. After a change of the C++
// that is meant, `./dev vectors` makes them again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replayMerges } from './vectors/merge.mjs';
import { replayOutbox } from './vectors/outbox.mjs';
import { readVectors, readWalks } from './vectors/read.mjs';
import { replayReplicator } from './vectors/replicator.mjs';
import { replayWire } from './vectors/wire.mjs';

test('the replicator decides as the C++ does', () => {
  for (const walk of readWalks('replicator.ndjson')) replayReplicator(walk);
});

test('another back-off than that of the C++ is seen', () => {
  const walks = readWalks('replicator.ndjson').filter(({ settings }) => settings === undefined);
  const differs = (walk) => {
    try {
      replayReplicator(walk, { backOffMinMs: 3000 });
    } catch (error) {
      return error instanceof assert.AssertionError;
    }
  };
  assert.ok(walks.filter(differs).length > walks.length / 2);
});

test('a device exchanges with a hub as the C++ does', async () => {
  for (const walk of readWalks('outbox.ndjson')) await replayOutbox(walk);
});

test('bodies are read and written as by the C++', () => readVectors('wire.ndjson').forEach(replayWire));

test('versions merge as in the C++', () => replayMerges(readVectors('merge.ndjson')));
