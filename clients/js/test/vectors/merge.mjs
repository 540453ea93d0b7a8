// The merge of a hub in JavaScript, to show that the vectors say all that a port needs: the library has none, for its
// hub merges. Written from src/core/merge.cpp and union_merge.cpp; replays merge.ndjson.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

const kAheadMax = 300_000_000n;
const kStepMax = 3_600_000_000n;
const kTimestampMin = -62_135_596_800_000_000n;
const kUnionItemsMax = 500;

const max = (a, b) => (a > b ? a : b);
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

// Documents as texts: values keep their spelling.

/** The raw texts of the members of an object, by name, or of the elements of an array. */
function partsOf(text) {
  const isObject = text.trim()[0] === '{';
  const inner = text.trim().slice(1, -1);
  const parts = [];
  let depth = 0;
  let begin = 0;
  let inString = false;
  for (let i = 0; i <= inner.length; ++i) {
    const c = inner[i];
    if (inString) {
      if (c === '\\') ++i;
      else if (c === '"') inString = false;
      continue;
    }
    if (c === '"') inString = true;
    if (c === '{' || c === '[') ++depth;
    if (c === '}' || c === ']') --depth;
    if ((c === ',' && depth === 0) || i === inner.length) {
      const part = inner.slice(begin, i).trim();
      if (part !== '') parts.push(part);
      begin = i + 1;
    }
  }
  if (!isObject) return parts;
  return new Map(parts.map((part) => {
    const name = /^"(?:[^"\\]|\\.)*"/.exec(part)[0];
    return [JSON.parse(name), part.slice(part.indexOf(':', name.length) + 1).trim()];
  }));
}

function canonical(text) {
  const value = JSON.parse(text);
  if (Array.isArray(value)) return `[${partsOf(text).map((part) => `${canonical(part)},`).join('')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = [...partsOf(text)].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, part]) => `${JSON.stringify(name)}:${canonical(part)},`).join('')}}`;
}
const withoutNulls = (text) =>
  `{${[...partsOf(text)].filter(([, part]) => part !== 'null').map(([name, part]) => `${JSON.stringify(name)}:${part}`)}}`;
const sameFields = (a, b) => a === b || canonical(withoutNulls(a)) === canonical(withoutNulls(b));

// Fields.

const timeOf = (part) => (part[0] === '"' ? Date.parse(JSON.parse(part)) : NaN);
const isTime = (time) => !Number.isNaN(time);
const isLater = (a, b) => isTime(timeOf(b)) && (!isTime(timeOf(a)) || timeOf(b) < timeOf(a));

function looksUnset(name, part, policy) {
  const known = policy.unset_values[name];
  if (known !== undefined) return part === 'null' || canonical(part) === canonical(JSON.stringify(known));
  const value = JSON.parse(part);
  return value === null || value === false || value === 0 || value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0);
}

function unionOf(stored, incoming, incomingWins) {
  const sets = [stored, incoming].map((list) => new Set(partsOf(list).map(canonical)));
  if (sets[0].size === sets[1].size && [...sets[0]].every((item) => sets[1].has(item))) return incomingWins ? incoming : stored;
  const first = partsOf(incomingWins ? incoming : stored);
  const second = partsOf(incomingWins ? stored : incoming);
  const kept = new Set([...new Set([...first, ...second].map(canonical))].slice(0, kUnionItemsMax));
  const taken = [...partsOf(stored), ...partsOf(incoming)].filter((item) => kept.delete(canonical(item)));
  return `[${taken.join(',')}]`;
}

function mergeFields(stored, incoming, incomingWins, policy) {
  const winner = partsOf(incomingWins ? incoming : stored);
  const loser = partsOf(incomingWins ? stored : incoming);
  const madeAnew = policy.earliest_fields.some((name) => winner.has(name) && loser.has(name) &&
    isTime(timeOf(winner.get(name))) && isLater(winner.get(name), loser.get(name)));
  const merged = new Map(winner);
  let differs = false;
  const replace = (name, part) => {
    differs ||= part !== merged.get(name);
    merged.set(name, part);
  };
  for (const [name, part] of winner) {
    const other = loser.get(name);
    if (other === undefined || other === 'null') continue;
    if (part === 'null' || (madeAnew && looksUnset(name, part, policy))) {
      replace(name, other);
    } else if (policy.union_fields.includes(name) && part[0] === '[' && other[0] === '[') {
      const both = incomingWins ? unionOf(other, part, true) : unionOf(part, other, false);
      if (canonical(both) !== canonical(part)) replace(name, both);
    } else if (policy.earliest_fields.includes(name)) {
      replace(name, isLater(part, other) ? other : part);
    }
  }
  for (const [name, part] of loser) if (!winner.has(name) && part !== 'null') replace(name, part);
  if (!differs) return incomingWins ? incoming : stored;
  return `{${[...merged].map(([name, part]) => `${JSON.stringify(name)}:${part}`).join(',')}}`;
}

// Versions.

function breakTie(stored, op, tie) {
  if (tie === 'stored_stays') return [false, 'stored_stays'];
  if (stored.deleted !== op.deleted) return [stored.deleted, 'live_wins'];
  if (tie === 'smaller_hash') {
    const hash = (doc) => sha256(doc === '' ? 'null' : canonical(doc));
    return [hash(op.doc) < hash(stored.doc), 'smaller_hash'];
  }
  return [sha256(op.doc) > sha256(stored.doc), 'greater_hash'];
}

function compare(stored, op, stamp, policy, standing) {
  if (op.base === stored.seq) return [true, 'base'];
  if (op.updatedAt === undefined) return [true, 'direct'];
  if (stamp.at === standing) return breakTie(stored, op, policy.tie);
  if (stamp.claim !== 0n && stamp.claim <= stored.claimedAt) return [false, 'clock_guard'];
  return [stamp.at > standing, 'later_stamp'];
}

function hasSeen(stored, op, stamp, policy, author) {
  if (policy.pulls_before_edits && op.base === undefined) {
    if (op.updatedAt === undefined) return true;
    return author.seenThrough >= stored.seq && op.updatedAt > stored.committedAt && stamp.claim === 0n;
  }
  if (op.base !== undefined) return op.base === stored.seq;
  return stored.origin === author.key || author.seenThrough >= stored.seq;
}

function merge(found, op, policy, author, now, latest) {
  const stored = found?.rule === 'wiped' ? undefined : found;
  const isAhead = (time, than) => time > than + kAheadMax;
  const isOfWrongClock = stored && stored.effectiveAt > now + kStepMax && stored.committedAt > now + kStepMax;
  const standing = isOfWrongClock ? kTimestampMin : stored?.effectiveAt;
  const stamp = op.updatedAt === undefined
    ? { at: stored ? max(now, standing + 1n) : now, claim: 0n }
    : isAhead(op.updatedAt, now) ? { at: now, claim: op.updatedAt } : { at: op.updatedAt, claim: 0n };
  const visible = (effectiveAt) => {
    if (!policy.keeps_stamps_ahead) {
      const mayBeRight = latest > now && op.updatedAt !== undefined && !isAhead(op.updatedAt, latest);
      return mayBeRight ? max(op.updatedAt, effectiveAt) : effectiveAt;
    }
    const sent = op.updatedAt ?? effectiveAt;
    return stored ? max(sent, max(stored.updatedAt, stored.claimedAt) + 1n) : sent;
  };
  const decision = { rule: 'first', keep: 'nothing', clockLowered: stamp.claim !== 0n };
  if (stored === undefined) {
    return { ...decision, kind: 'insert', effectiveAt: stamp.at, updatedAt: visible(stamp.at), claimedAt: stamp.claim };
  }
  decision.updatedAt = stored.updatedAt;
  decision.effectiveAt = stored.effectiveAt;
  decision.claimedAt = max(stored.claimedAt, stamp.claim);
  if (stored.deleted === op.deleted && stored.doc === op.doc) {
    const isRepeated = stamp.claim !== 0n && stamp.claim <= stored.claimedAt;
    if (policy.keeps_stamps_ahead) decision.claimedAt = max(decision.claimedAt, stamp.at);
    if (policy.echo_lifts_stamp && !isRepeated) decision.effectiveAt = max(stored.effectiveAt, stamp.at);
    return { ...decision, kind: 'noop', rule: stored.rule };
  }
  const [incomingWins, rule] = compare(stored, op, stamp, policy, standing);
  decision.rule = rule;
  decision.kind = incomingWins ? 'update' : 'stale';
  let addsNothing = false;
  if (policy.union_fields.length + policy.earliest_fields.length > 0 && !stored.deleted && !op.deleted) {
    const merged = mergeFields(stored.doc, op.doc, incomingWins, policy);
    if (sameFields(merged, stored.doc)) {
      decision.kind = 'stale';
      addsNothing = incomingWins || sameFields(mergeFields(stored.doc, op.doc, true, policy), stored.doc);
    } else if (merged === op.doc) {
      decision.kind = 'update';
    } else {
      decision.kind = 'merged';
      decision.mergedDoc = merged;
    }
  }
  const seen = hasSeen(stored, op, stamp, policy, author);
  if (!incomingWins) return { ...decision, keep: addsNothing ? 'nothing' : 'incoming' };
  decision.effectiveAt = rule === 'base' ? max(stamp.at, standing + 1n) : stamp.at;
  decision.updatedAt = visible(decision.effectiveAt);
  const isShownAhead = policy.keeps_stamps_ahead && decision.updatedAt > now;
  if (isShownAhead) decision.claimedAt = max(decision.claimedAt, decision.updatedAt);
  return { ...decision, keep: seen || addsNothing ? 'nothing' : 'stored' };
}

const big = (text) => (text === undefined ? undefined : BigInt(text));

/** The first lines define the policies that the others name. */
export function replayMerges(vectors) {
  const policies = new Map();
  for (const vector of vectors) {
    if (vector.then === undefined) policies.set(vector.policy, vector);
    else replay(vector, policies.get(vector.policy));
  }
}

function replay({ where, stored, op, author, now, latest, then }, policy) {
  const made = merge(
    stored === null ? undefined : {
      seq: big(stored.seq), updatedAt: big(stored.updated_at), effectiveAt: big(stored.effective_at),
      claimedAt: big(stored.claimed_at), committedAt: big(stored.committed_at), origin: big(stored.origin),
      rule: stored.rule, deleted: stored.deleted, doc: stored.doc,
    },
    { updatedAt: big(op.updated_at), base: big(op.base), deleted: op.deleted, doc: op.doc },
    policy, { key: big(author.key), seenThrough: big(author.seen_through) }, big(now), big(latest));
  assert.deepEqual({
    kind: made.kind, rule: made.rule, keep: made.keep, updated_at: String(made.updatedAt),
    effective_at: String(made.effectiveAt), claimed_at: String(made.claimedAt), clock_lowered: made.clockLowered,
    ...(made.mergedDoc === undefined ? {} : { merged_doc: made.mergedDoc }),
  }, then, where);
}
