import type { ComponentChildren, ButtonHTMLAttributes } from 'preact';
import { useId } from 'preact/hooks';
import { Icon, type IconName } from './icon';

export interface ButtonProps extends Omit<ButtonHTMLAttributes, 'disabled' | 'icon'> {
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  icon?: IconName;
  /** Why it does nothing now. It stays in the tab order, so that the reason can be read. */
  blocked?: string | undefined;
  /** Something that it began is under way. */
  isBusy?: boolean;
  children?: ComponentChildren;
}

export function Button({ kind = 'plain', icon, blocked, isBusy = false, children, onClick, class: more, ...rest }: ButtonProps) {
  const reason = useId();
  const isOff = blocked !== undefined || isBusy;
  return (
    <>
      <button type="button" {...rest} class={`button ${kind} ${more ?? ''}`} aria-disabled={isOff ? 'true' : undefined}
        aria-busy={isBusy || undefined} title={blocked ?? rest.title}
        aria-describedby={blocked !== undefined ? reason : rest['aria-describedby']}
        onClick={(event) => {
          if (isOff) event.preventDefault();
          else if (typeof onClick === 'function') onClick(event);
        }}>
        {icon && <Icon name={icon} />}
        {children}
      </button>
      {blocked !== undefined && <span id={reason} class="visually-hidden">{blocked}</span>}
    </>
  );
}
