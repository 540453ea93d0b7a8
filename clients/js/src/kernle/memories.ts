// How memories lie in Kernle's tables, so that Kernle's own clients read them.
import type { Doc, Json } from '../http/types.js';
import { sha256 } from '../helpers/sha256.js';

export type Kind = 'note' | 'decision' | 'insight' | 'episode' | 'belief' | 'value' | 'goal';

export interface Memory {
  /** `<table>/<record>`. */
  id: string;
  kind: Kind;
  /** Of an episode what was tried, of a value or goal its name. */
  title?: string;
  text: string;
  tags: string[];
  lessons: string[];
  source?: string;
  /** When it was last changed: in lists, and in what a search finds in the copy. */
  updatedAt?: string;
  /** What `update` and `forget` compare. Opaque. */
  version: string;
}

interface Table {
  name: string;
  /** The members of a document that hold text and title. */
  text: string;
  title?: string;
}

const kNotes: Table = { name: 'notes', text: 'content' };
const kTables: Record<Kind, Table> = {
  note: kNotes, decision: kNotes, insight: kNotes,
  episode: { name: 'episodes', text: 'outcome', title: 'objective' },
  belief: { name: 'beliefs', text: 'statement' },
  value: { name: 'values', text: 'statement', title: 'name' },
  goal: { name: 'goals', text: 'description', title: 'title' },
};
export const kKinds = Object.keys(kTables) as Kind[];
export const tableOf = (kind: Kind): Table => kTables[kind];

const textIn = (doc: Doc, name: string | undefined): string => {
  const value = name === undefined ? undefined : doc[name];
  return typeof value === 'string' ? value : '';
};
const textsIn = (value: Json | undefined): string[] =>
  (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);

/** Undefined for a table that has no kind. */
export function kindOf(table: string, doc: Doc): Kind | undefined {
  const type = textIn(doc, 'note_type');
  if (table === 'notes') return type === 'decision' || type === 'insight' ? type : 'note';
  return kKinds.find((kind) => kTables[kind].name === table);
}

/** RFC 4648, lower case. */
function base32(bytes: number[], length: number): string {
  let text = '';
  for (let bit = 0; text.length < length; bit += 5) {
    const word = (bytes[bit >> 3] as number) << 8 | (bytes[(bit >> 3) + 1] ?? 0);
    text += 'abcdefghijklmnopqrstuvwxyz234567'[word >> (11 - (bit & 7)) & 31];
  }
  return text;
}

/** The same text in other cases, spaces, widths and punctuation. */
export const fold = (text: string): string =>
  text.normalize('NFKC').toLowerCase().replace(/[\p{P}\s]+/gu, ' ').trim();

/** The same on every device, so that two that remember the same while offline end with one record. */
export const memoryId = (agent: string, kind: Kind, folded: string): string =>
  `m_${base32(sha256(`${agent}\0${kind}\0${folded}`), 26)}`;

/** What the document says; a title stands in for a text that is missing, as in goals of Kernle's own. */
export function memoryOf(kind: Kind, id: string, doc: Doc, updatedAt?: string): Memory {
  const table = kTables[kind];
  const title = textIn(doc, table.title);
  const source = textIn(doc, 'source');
  return {
    id: `${table.name}/${id}`, kind, ...(title && { title }), text: textIn(doc, table.text) || title,
    tags: textsIn(doc['tags']), lessons: textsIn(doc['lessons']), ...(source && { source }),
    ...(updatedAt && { updatedAt }), version: `v_${base32(sha256(JSON.stringify(doc)), 12)}`,
  };
}
