import { h } from 'preact';
import { shapes } from 'virtual:icons';

export type IconName = keyof typeof import('../../build/icons.mjs').kIcons;

/** Beside a word, which says the same. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {shapes[name]!.map(([tag, attributes]) => h(tag, attributes))}
    </svg>
  );
}
