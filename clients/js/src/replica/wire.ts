// The native API as a replicator speaks it: bodies to send, and answers as values with documents as text.
import { parseCursor, type Cursor } from '../core/cursor.js';
import { docsAsText, hasHalfPair } from '../core/doc_text.js';

/** A version as the hub delivers it. */
export interface HubVersion {
  collection: string;
  id: string;
  seq: number;
  /** RFC 3339 UTC with six digits, as the hub writes it: equal times are equal texts, and later ones are greater. */
  at: string;
  deleted: boolean;
  /** Empty if deleted. */
  doc: string;
}

/** A record that the hub cannot read any more; `id` is empty if it does not know whose it is. */
export interface DamagedRecord {
  collection: string;
  id: string;
  seq: number;
  isReplaced: boolean;
}

export interface Page {
  since: Cursor;
  cursor: Cursor;
  more: boolean;
  versions: HubVersion[];
  damaged: DamagedRecord[];
}

export interface Verdict {
  status: 'applied' | 'noop' | 'stale' | 'merged' | 'refused';
  seq: number;
  /** What the hub made of the op's stamp, if that is not what was sent. */
  at: string | undefined;
  version: HubVersion | undefined;
  code: string;
  detail: string;
}

export interface PushAnswer {
  cursor: Cursor;
  verdicts: Verdict[];
}

/** An answer that makes no sense: worth another try, for the next one may. */
export class NotUnderstood extends Error {
  constructor(what: string) {
    super(`invalid answer from the hub: ${what}`);
  }
}

/** What hubs list of damaged records beside a page. */
const kDamagedListedMax = 500;
/** Later years do not sort as texts, and the hub has none. */
const kStamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/;

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** None of what is no object. */
const membersOf = (value: unknown): Members => (isObject(value) ? value : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const isSeq = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** `read` makes it JSON. */
function parseObject(text: string, read: (text: string) => string = String): Members {
  try {
    const value: unknown = JSON.parse(read(text));
    if (isObject(value) && !(/\\ud/i.test(text) && hasHalfPair(JSON.stringify(value)))) return value;
  } catch {
    // Not JSON.
  }
  throw new NotUnderstood('it is not a JSON object');
}

function readStamp(value: unknown): string | undefined {
  const parts = kStamp.exec(textOf(value));
  return parts === null ? undefined : `${parts[1]}.${(parts[2] ?? '').padEnd(6, '0')}Z`;
}

function readVersion(json: unknown): HubVersion {
  const { collection, id, seq, doc, deleted, updated_at } = membersOf(json);
  const at = readStamp(updated_at);
  if (typeof collection !== 'string' || typeof id !== 'string' || !isSeq(seq) || at === undefined) {
    throw new NotUnderstood('a record is incomplete');
  }
  if (deleted === true) return { collection, id, seq, at, deleted, doc: '' };
  parseObject(doc as string);
  return { collection, id, seq, at, deleted: false, doc: doc as string };
}

/** Undefined if it is not said to be damaged. */
function readDamaged(json: unknown): DamagedRecord | undefined {
  const { damaged, collection, id, seq, replaced } = membersOf(json);
  if (damaged !== true) return undefined;
  return { collection: textOf(collection), id: textOf(id), seq: isSeq(seq) ? seq : 0, isReplaced: replaced === true };
}

/** Throws NotUnderstood if it is no page, or one of more than `limit` records. */
export function parsePage(text: string, since: Cursor, limit: number): Page {
  const json = parseObject(text, docsAsText);
  const cursor = parseCursor(json['cursor']);
  const { more, changes, damaged } = json;
  if (cursor === undefined || cursor.epoch === '' || typeof more !== 'boolean' || !Array.isArray(changes)) {
    throw new NotUnderstood('it is not a page of changes');
  }
  const beside: unknown[] = Array.isArray(damaged) ? damaged : [];
  if (changes.length + beside.length > limit + kDamagedListedMax) {
    throw new NotUnderstood('it has more records than were asked for');
  }
  const page: Page = { since, cursor, more, versions: [], damaged: [] };
  for (const element of changes) {
    const lost = readDamaged(element);
    if (lost) page.damaged.push(lost);
    else page.versions.push(readVersion(element));
  }
  for (const element of beside) {
    const lost = readDamaged(element);
    if (lost) page.damaged.push(lost);
  }
  return page;
}

function readVerdict(json: unknown): Verdict {
  const { status, seq, updated_at, record, error } = membersOf(json);
  if (status !== 'applied' && status !== 'noop' && status !== 'stale' && status !== 'merged' && status !== 'refused') {
    throw new NotUnderstood(`unknown status '${textOf(status)}' of a result`);
  }
  const at = readStamp(updated_at);
  const { code, detail } = membersOf(error);
  if ((status !== 'refused' && !isSeq(seq)) || (updated_at !== undefined && at === undefined)) {
    throw new NotUnderstood('a result is incomplete');
  }
  return {
    status,
    seq: isSeq(seq) ? seq : 0,
    at,
    version: record === undefined ? undefined : readVersion(record),
    code: textOf(code),
    detail: textOf(detail),
  };
}

export function parsePushAnswer(text: string, ops: number): PushAnswer {
  const json = parseObject(text, docsAsText);
  const cursor = parseCursor(json['cursor']);
  const { results } = json;
  if (cursor === undefined || cursor.epoch === '' || !Array.isArray(results) || results.length !== ops) {
    throw new NotUnderstood('it has not a result for each op');
  }
  return { cursor, verdicts: results.map(readVerdict) };
}

export interface OutgoingVersion {
  collection: string;
  id: string;
  at: string;
  deleted: boolean;
  doc: string;
}

/** Microseconds since 1970, which a double does not count for all years. */
const micros = (stamp: string): bigint => BigInt(Date.parse(`${stamp.slice(0, 23)}Z`)) * 1000n + BigInt(stamp.slice(23, 26));

/** One op of a push. `base` 0: made without having seen any version. */
export function opText({ collection, id, at, deleted, doc }: OutgoingVersion, base: number): string {
  return `{"collection":${JSON.stringify(collection)},"id":${JSON.stringify(id)},"updated_at":${micros(at)},"base":${base},` +
    `${deleted ? '"deleted":true' : `"doc":${doc}`}}`;
}

export const spacePath = (space: string): string => `/v1/spaces/${encodeURIComponent(space)}`;

/** `known`: what the hub must have for its history to be the same. */
export function pullPath(space: string, since: Cursor, known: Cursor, limit: number, docsAsText: boolean): string {
  // A reader that knows no more than its cursor has nothing to add.
  const adds = known.epoch !== '' && known.text !== since.text ? `&known=${known.text}` : '';
  return `${spacePath(space)}/changes?since=${since.text}${adds}&limit=${limit}${docsAsText ? '&docs=text' : ''}`;
}

/** `history` is the one that the bases belong to, or empty. */
export function pushBody(history: string, known: Cursor, ops: string[]): string {
  const parts = [];
  if (history !== '') parts.push(`"epoch":${JSON.stringify(history)}`);
  if (known.epoch !== '') parts.push(`"known":${JSON.stringify(known.text)}`);
  parts.push(`"ops":[${ops.join(',')}]`);
  return `{${parts.join(',')}}`;
}
