// The native API as a replicator speaks it: bodies to send, and answers as values with documents as text.
import { parseCursor, type Cursor } from '../core/cursor.js';
import { docsAsText } from '../core/doc_text.js';

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
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const isSeq = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseAnswer(text: string): Members {
  let answer: unknown;
  try {
    answer = JSON.parse(docsAsText(text));
  } catch {
    throw new NotUnderstood('it is not JSON');
  }
  if (!isObject(answer)) throw new NotUnderstood('it is not a JSON object');
  return answer;
}

function readStamp(value: unknown): string | undefined {
  const parts = kStamp.exec(textOf(value));
  return parts === null ? undefined : `${parts[1]}.${(parts[2] ?? '').padEnd(6, '0')}Z`;
}

function readVersion(json: unknown): HubVersion {
  if (!isObject(json)) throw new NotUnderstood('a record is no object');
  const { collection, id, seq, doc } = json;
  const at = readStamp(json['updated_at']);
  if (typeof collection !== 'string' || typeof id !== 'string' || !isSeq(seq) || at === undefined) {
    throw new NotUnderstood('a record is incomplete');
  }
  const deleted = json['deleted'] === true;
  if (deleted) return { collection, id, seq, at, deleted, doc: '' };
  if (typeof doc !== 'string' || doc[0] !== '{') throw new NotUnderstood('a record has no document');
  try {
    JSON.parse(doc);
  } catch {
    throw new NotUnderstood('a document is not JSON');
  }
  return { collection, id, seq, at, deleted, doc };
}

/** Undefined if it is not said to be damaged. */
function readDamaged(json: unknown): DamagedRecord | undefined {
  if (!isObject(json) || json['damaged'] !== true) return undefined;
  return {
    collection: textOf(json['collection']),
    id: textOf(json['id']),
    seq: isSeq(json['seq']) ? json['seq'] : 0,
    isReplaced: json['replaced'] === true,
  };
}

/** Throws NotUnderstood if it is no page, or one of more than `limit` records. */
export function parsePage(text: string, since: Cursor, limit: number): Page {
  const json = parseAnswer(text);
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
  if (!isObject(json)) throw new NotUnderstood('a result is no object');
  const status = textOf(json['status']);
  if (status !== 'applied' && status !== 'noop' && status !== 'stale' && status !== 'merged' && status !== 'refused') {
    throw new NotUnderstood(`unknown status '${status}' of a result`);
  }
  const { seq, error } = json;
  if (status !== 'refused' && !isSeq(seq)) throw new NotUnderstood('a result has no seq');
  const at = readStamp(json['updated_at']);
  if (json['updated_at'] !== undefined && at === undefined) throw new NotUnderstood('a result has no proper time');
  return {
    status,
    seq: isSeq(seq) ? seq : 0,
    at,
    version: json['record'] === undefined ? undefined : readVersion(json['record']),
    code: isObject(error) ? textOf(error['code']) : '',
    detail: isObject(error) ? textOf(error['detail']) : '',
  };
}

export function parsePushAnswer(text: string, ops: number): PushAnswer {
  const json = parseAnswer(text);
  const cursor = parseCursor(json['cursor']);
  const { results } = json;
  if (cursor === undefined || cursor.epoch === '' || !Array.isArray(results)) throw new NotUnderstood('no verdicts');
  if (results.length !== ops) throw new NotUnderstood('it has another number of results than the push had ops');
  return { cursor, verdicts: results.map(readVerdict) };
}

export interface OutgoingVersion {
  collection: string;
  id: string;
  at: string;
  deleted: boolean;
  doc: string;
}

/** One op of a push. `base` 0: made without having seen any version. */
export function opText(record: OutgoingVersion, base: number): string {
  const head = JSON.stringify({ collection: record.collection, id: record.id, updated_at: record.at, base });
  return `${head.slice(0, -1)},${record.deleted ? '"deleted":true' : `"doc":${record.doc}`}}`;
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
