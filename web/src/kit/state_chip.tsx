import { Icon, type IconName } from './icon';
import type { Tone } from '../sync/sentence';

/** A state by icon, word and colour: never by colour alone. */
export const StateChip = ({ tone, icon, word }: { tone: Tone; icon: IconName; word: string }) => (
  <span class={`chip tone-${tone}`}><Icon name={icon} />{word}</span>
);
