import { t } from '../text';

export interface Piece { kind: 'same' | 'added' | 'removed'; text: string }

/** Above so many comparisons, the middle counts as replaced: a text of a megabyte must not stop the page. */
const kStepsMax = 4_000_000;

/** By words: what was removed from `before` and added in `after`, in reading order. */
export function diffWords(before: string, after: string): Piece[] {
  const a = before.match(/\s+|[^\s]+/g) ?? [];
  const b = after.match(/\s+|[^\s]+/g) ?? [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) ++start;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) ++end;
  const pieces: Piece[] = [];
  const add = (kind: Piece['kind'], text: string) => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += text;
    else if (text) pieces.push({ kind, text });
  };
  add('same', a.slice(0, start).join(''));
  for (const piece of middle(a.slice(start, a.length - end), b.slice(start, b.length - end))) add(piece.kind, piece.text);
  add('same', a.slice(a.length - end).join(''));
  return pieces;
}

function middle(a: string[], b: string[]): Piece[] {
  if (a.length * b.length > kStepsMax) return [{ kind: 'removed', text: a.join('') }, { kind: 'added', text: b.join('') }];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);  // length of the longest common part of what follows
  for (let i = a.length - 1; i >= 0; --i) {
    for (let j = b.length - 1; j >= 0; --j) {
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1
        : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const pieces: Piece[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      pieces.push({ kind: 'same', text: a[i]! });
      ++i;
      ++j;
    } else if (j >= b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      pieces.push({ kind: 'removed', text: a[i++]! });
    } else {
      pieces.push({ kind: 'added', text: b[j++]! });
    }
  }
  return pieces;
}

export function Diff({ before, after }: { before: string; after: string }) {
  return (
    <p class="diff">
      {diffWords(before, after).map(({ kind, text }, i) => (
        kind === 'same' ? <span key={i}>{text}</span>
          : kind === 'added' ? <ins key={i}><span class="visually-hidden">{t.diff.added}: </span>{text}</ins>
            : <del key={i}><span class="visually-hidden">{t.diff.removed}: </span>{text}</del>
      ))}
    </p>
  );
}
