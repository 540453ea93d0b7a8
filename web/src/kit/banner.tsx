import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon';
import type { Tone } from '../sync/sentence';

const kIcons: Record<Tone, IconName> = { ok: 'current', warn: 'alert', bad: 'error', info: 'info', paused: 'paused' };

interface BannerProps {
  tone: Tone;
  title: string;
  /** Buttons. */
  actions?: ComponentChildren;
  children?: ComponentChildren;
}

/** Stays until what it says is over. What is wrong is announced at once, the rest when there is a pause. */
export function Banner({ tone, title, actions, children }: BannerProps) {
  return (
    <div class={`banner tone-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={kIcons[tone]} />
      <div class="words">
        <strong>{title}</strong>
        {children && <div>{children}</div>}
        {actions && <div class="line">{actions}</div>}
      </div>
    </div>
  );
}
