// The one sentence that says how sync stands. Its strings and their order are in src/app/sync_sentences.json, which the
// command line uses, too; tests/sync_sentence_cases.json holds both to the same words.
import table from '../../../src/app/sync_sentences.json';

/** What is known. A fact that is absent, empty or 0 does not hold. */
export type Facts = Record<string, string | number>;

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'paused';

export interface Sentence {
  state: string;
  icon: string;
  tone: Tone;
  word: string;
  says: string;
}

interface Part { if?: string; unless?: string; count?: string; one?: string; other: string }
interface Row { state: string; when?: string; icon: string; tone: string; word: string; parts: Part[] }

const holds = (facts: Facts, name: string): boolean => !['', '0', 'undefined'].includes(String(facts[name]));

/** Each {name} is replaced once: what a fact says is never read as a pattern. */
const fill = (text: string, facts: Facts): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ''));

function wordsOf(part: Part, facts: Facts): string | undefined {
  if (part.if !== undefined && !holds(facts, part.if)) return undefined;
  if (part.unless !== undefined && holds(facts, part.unless)) return undefined;
  const count = part.count ?? part.if;
  const isOne = part.one !== undefined && count !== undefined && String(facts[count]) === '1';
  return fill(isOne ? part.one! : part.other, facts);
}

/** The first state that holds. */
export function sentence(facts: Facts): Sentence {
  const rows: Row[] = table;
  const row = rows.find(({ when }) => when === undefined || holds(facts, when))!;
  const says = row.parts.map((part) => wordsOf(part, facts)).filter((words) => words !== undefined).join(' ');
  return { state: row.state, icon: row.icon, tone: row.tone as Tone, word: row.word, says };
}
