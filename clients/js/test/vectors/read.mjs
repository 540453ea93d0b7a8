// Reads the vectors of clients/vectors, which the hub's C++ has made: the first line is a table of what a file covers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** Lines with their numbers, the table left out. */
export function readVectors(name) {
  const path = new URL(`../../../vectors/${name}`, import.meta.url);
  const [table, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(JSON.parse(table).format, 1, `${name} has another format`);
  assert.ok(lines.length > 0, `${name} is empty`);
  return lines.map((line, i) => ({ ...JSON.parse(line), where: `${name}:${i + 2}` }));
}

/** Walks: each begins with its settings; the events that follow show what has changed. */
export function readWalks(name) {
  const walks = [];
  for (const line of readVectors(name)) {
    if ('walk' in line) walks.push({ ...line, events: [] });
    else walks.at(-1).events.push(line);
  }
  return walks;
}

/** What is to be seen after each event, from what has changed; a member that is null is not there. */
export class Expected {
  #members = {};
  check(observed, change, where) {
    this.#members = { ...this.#members, ...change };
    const there = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null).sort());
    assert.deepEqual(there(observed), there(this.#members), where);
  }
}

/** Values of 64 bits are decimal strings. */
export const number = (text) => Number(text);
export const text = (value) => (value === undefined ? null : String(value));
