// What an agent remembers, in the local copy: it works without a network, and Kernle's own clients read it.
import { Conflict, NotFound, Refused } from '../http/errors.js';
import type { CallOptions } from '../http/call.js';
import type { Doc } from '../http/types.js';
import type { LocalCopy } from '../helpers/source.js';
import { timeText } from '../helpers/ids.js';
import { fold, kindOf, kKinds, memoryId, memoryOf, tableOf, type Kind, type Memory } from './memories.js';
import { findSecret } from './secrets.js';

export type { Kind, Memory } from './memories.js';

export interface KernleOptions {
  /** `refuse` throws `looks_like_a_secret` for texts that look like keys and passwords; `allow` stores them. */
  secrets?: 'refuse' | 'allow';
}

export interface NewMemory {
  /** One fact, decision or lesson that makes sense by itself: up to 8,000 characters. */
  text: string;
  kind?: Kind;
  /** Of an episode what was tried, of a value or goal its name; the beginning of the text if absent. */
  title?: string;
  tags?: string[];
  /** Of an episode. */
  lessons?: string[];
  /** Where it comes from: a person, a file, a URL. */
  source?: string;
}
export interface Remembered {
  /** `already_known`: the same text is stored under this id; its tags and the new ones are united. */
  status: 'stored' | 'already_known';
  id: string;
}

export interface Correction {
  /** Of the memory as it was read. */
  version: string;
  /** Why, for the history. */
  reason: string;
  text?: string;
  title?: string;
  addTags?: string[];
  removeTags?: string[];
  source?: string;
}

/** The best first. `partial`: the hub was not asked, so these are the memories that have all the words. */
export type Found = Memory[] & { partial?: true };

/** The memory was changed since it was read: `present` is what it is now. */
export class ChangedMeanwhile extends Conflict {
  override name = 'ChangedMeanwhile';
  constructor(readonly present: Memory) {
    super('changed_meanwhile', 'changed since it was read');
  }
}

/** The memory of one agent. Ids are those of `Memory`. */
export interface Kernle {
  readonly agent: string;
  /** Stores a memory, unless the same text is known: case, spaces and punctuation do not count. */
  remember(memory: NewMemory): Promise<Remembered>;
  get(id: string): Promise<Memory | undefined>;
  /** Corrects a memory; the earlier text stays in the record. Throws `ChangedMeanwhile` for an old version. */
  update(id: string, correction: Correction): Promise<Memory>;
  /** Deletes a memory on all devices. With a version only if it is still that one. */
  forget(id: string, options?: { version?: string }): Promise<void>;
  /** All words must occur, the last one may be a beginning. Asks the hub for its ranking if it can be reached. */
  search(words: string, options?: CallOptions & { limit?: number; kinds?: Kind[] }): Promise<Found>;
  /** Newest change first. */
  recent(options?: { limit?: number; kinds?: Kind[] }): Promise<Memory[]>;
}

const kTextMax = 8000;
const kTitleLength = 80;
const kRevisionsMax = 10;
const kSearchMs = 10_000;

const now = (): string => timeText(new Date());

function place(id: string): [table: string, record: string] {
  const slash = id.indexOf('/');
  return [id.slice(0, slash), id.slice(slash + 1)];
}

/** `db`: what `open` returned; it keeps the agent's space in sync from now on. */
export function kernle(db: LocalCopy, agent: string, { secrets }: KernleOptions = {}): Kernle {
  agent = agent.slice(agent.lastIndexOf('/') + 1);
  const space = db.space(`kernle/${agent}`);

  function check(...texts: (string | undefined)[]): void {
    for (const text of texts) {
      if (text === undefined) continue;
      if (text.length > kTextMax) throw new Refused('too_long', `more than ${kTextMax} characters`);
      const at = secrets === 'allow' ? -1 : findSecret(text);
      if (at >= 0) {
        throw new Refused('looks_like_a_secret', `looks like a secret from character ${at + 1} on`);
      }
    }
  }
  async function get(id: string): Promise<Memory | undefined> {
    const [table, record] = place(id);
    const doc = await space.collection<Doc>(table).get(record);
    const kind = doc && kindOf(table, doc);
    return kind && memoryOf(kind, record, doc);
  }
  async function present(id: string, version: string | undefined): Promise<Memory> {
    const memory = await get(id);
    if (memory === undefined) throw new NotFound('not_found', `no memory ${id}`);
    if (version !== undefined && memory.version !== version) throw new ChangedMeanwhile(memory);
    return memory;
  }
  /** Newest change first. */
  async function all(kinds: Kind[]): Promise<Memory[]> {
    const memories: Memory[] = [];
    for (const table of new Set(kinds.map((kind) => tableOf(kind).name))) {
      for (const { id, doc, updatedAt } of await space.collection<Doc>(table).query()) {
        const kind = kindOf(table, doc);
        if (kind !== undefined && kinds.includes(kind)) memories.push(memoryOf(kind, id, doc, updatedAt));
      }
    }
    return memories.sort((a, b) => (a.updatedAt as string < (b.updatedAt as string) ? 1 : -1));
  }
  async function askHub(query: string, limit: number, kinds: Kind[], options: CallOptions): Promise<Memory[]> {
    const types = kinds.map((kind) => tableOf(kind).name);
    const body = JSON.stringify({ query, agent_id: agent, types, limit });
    const { data } = await (await db.caller()).json<{ data: { results: { type: string; id: string }[] } }>(
      { method: 'POST', path: '/search', body }, options);
    // The hub names a table by one of its rows.
    const found = await Promise.all(data.results.map(({ type, id }) => get(`${type}s/${id}`)));
    return found.filter((memory): memory is Memory => memory !== undefined && kinds.includes(memory.kind));
  }

  return {
    agent,
    get,
    async remember({ text, kind = 'note', title, tags = [], lessons = [], source }) {
      check(text, title, source, ...tags, ...lessons);
      const fields = tableOf(kind);
      const folded = fold(text);
      const isSame = (doc: Doc): boolean => kindOf(fields.name, doc) === kind && fold(memoryOf(kind, '', doc).text) === folded;
      const collection = space.collection<Doc>(fields.name);
      const [known] = await collection.query({ where: isSame, limit: 1 });
      let id = known?.id ?? memoryId(agent, kind, folded);
      for (let number = 1; ; ++number) {
        // In a member: TypeScript takes what a callback assigns for what it was before.
        const outcome: { status: Remembered['status'] | 'other' } = { status: 'stored' };
        await collection.patch(id, (old) => {
          outcome.status = old === undefined ? 'stored' : isSame(old) ? 'already_known' : 'other';
          if (old === undefined) {
            return {
              [fields.text]: text, ...(fields.title && { [fields.title]: title || text.slice(0, kTitleLength) }),
              ...(fields.name === 'notes' && { note_type: kind }), tags,
              ...(kind === 'episode' && { outcome_type: 'success', lessons }), ...(source && { source }),
              created_at: now(),
            };
          }
          const had = memoryOf(kind, id, old).tags;
          const all = [...new Set([...had, ...tags])];
          return outcome.status === 'other' || all.length === had.length ? undefined : { ...old, tags: all };
        });
        const { status } = outcome;
        if (status !== 'other') return { status, id: `${fields.name}/${id}` };
        // A memory that says something else by now has the place of this one.
        id = memoryId(agent, kind, `${folded}\0${number}`);
      }
    },
    async update(id, { version, reason, text, title, addTags = [], removeTags = [], source }) {
      check(text, title, source, reason, ...addTags);
      const { kind } = await present(id, version);
      const [table, record] = place(id);
      const fields = tableOf(kind);
      let changed: Doc = {};
      await space.collection<Doc>(table).patch(record, (old = {}) => {
        const stands = memoryOf(kind, record, old);
        if (stands.version !== version) throw new ChangedMeanwhile(stands);
        const earlier = old['syncline_revisions'];
        return (changed = {
          ...old,
          tags: [...new Set([...stands.tags, ...addTags])].filter((tag) => !removeTags.includes(tag)),
          ...(text !== undefined && { [fields.text]: text }),
          ...(title !== undefined && fields.title && { [fields.title]: title }), ...(source !== undefined && { source }),
          syncline_revisions: [{ at: now(), reason, text: stands.text, ...(stands.title && { title: stands.title }) },
            ...(Array.isArray(earlier) ? earlier : [])].slice(0, kRevisionsMax),
        });
      });
      return memoryOf(kind, record, changed);
    },
    async forget(id, { version } = {}) {
      await present(id, version);
      const [table, record] = place(id);
      await space.collection<Doc>(table).delete(record);
    },
    async search(words, { limit = 10, kinds = kKinds, ...options } = {}) {
      const whole = fold(words).split(' ');
      const last = whole.pop();
      const local = (await all(kinds)).filter(({ title, text, tags }) => {
        const folded = ` ${fold([title, text, ...tags].join(' '))} `;
        return whole.every((word) => folded.includes(` ${word} `)) && folded.includes(` ${last}`);
      });
      let ranked: Memory[] | undefined;
      try {
        ranked = await askHub(words, limit, kinds, { timeoutMs: kSearchMs, ...options });
      } catch (error) {
        // Not connected, or not reached; all else is for the caller.
        if (options.signal?.aborted || (error as { retry?: string }).retry !== 'later') throw error;
      }
      // The copy may have what the hub has not heard of yet.
      const known = ranked?.map(({ id }) => id);
      const found: Found = [...ranked ?? [], ...local.filter(({ id }) => !known?.includes(id))].slice(0, limit);
      if (ranked === undefined) found.partial = true;
      return found;
    },
    recent: async ({ limit = 10, kinds = kKinds } = {}) => (await all(kinds)).slice(0, limit),
  };
}
