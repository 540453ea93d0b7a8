import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './button';
import { t } from '../text';

interface Undoable { says: string; undo?: () => void | Promise<void> }

const kShownMs = 10_000;

const shown = signal<Undoable | null>(null);

/** Says what was done, and offers to undo it for ten seconds. */
export function offerUndo(done: Undoable): void {
  shown.value = done;
}

/** Undoes what the bar shows, if it can be undone. */
export function undoLast(): void {
  const done = shown.value;
  if (!done?.undo) return;
  shown.value = null;
  void done.undo();
}

/** Once in the frame. The time stands still while the pointer or the focus is on it. */
export function UndoBar() {
  const bar = useRef<HTMLDivElement>(null);
  const done = shown.value;
  useEffect(() => {
    if (!done) return undefined;
    let left = kShownMs;
    const timer = setInterval(() => {
      if (bar.current?.matches(':hover, :focus-within')) return;
      left -= 250;
      if (left <= 0 && shown.value === done) shown.value = null;
    }, 250);
    return () => clearInterval(timer);
  }, [done]);
  return (
    <div role="status">
      {done && (
        <div class="undo" ref={bar}>
          <span>{done.says}</span>
          {done.undo && <Button icon="undo" onClick={undoLast}>{t.undo}</Button>}
        </div>
      )}
    </div>
  );
}
