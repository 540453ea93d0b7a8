import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon';
import { t } from '../text';

export interface MenuItem {
  label: string;
  icon?: IconName;
  /** One of several choices. */
  isChecked?: boolean;
  onPick: () => void;
}

interface MenuProps { label: string; icon: IconName; items: readonly MenuItem[] }

/** A button that opens a list of actions. Arrow keys, Home and End move, Escape closes. */
export function Menu({ label, icon, items }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = () => { setOpen(false); button.current?.focus(); };
  const entries = () => [...root.current!.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
  useEffect(() => {
    if (!isOpen) return undefined;
    entries()[0]?.focus();
    const leave = (event: Event) => { if (!root.current?.contains(event.target as Node)) setOpen(false); };
    document.addEventListener('pointerdown', leave);
    document.addEventListener('focusin', leave);
    return () => {
      document.removeEventListener('pointerdown', leave);
      document.removeEventListener('focusin', leave);
    };
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else if (next !== undefined) {
      event.preventDefault();
      all[next % all.length]?.focus();
    }
  };
  return (
    <div class="menu" ref={root}>
      <button type="button" class="button quiet" ref={button} aria-haspopup="menu" aria-expanded={isOpen} aria-controls={id}
        aria-label={t.opensMenu(label)} title={label} onClick={() => setOpen(!isOpen)}>
        <Icon name={icon} />
      </button>
      {isOpen && (
        <div role="menu" id={id} aria-label={label} onKeyDown={onKeyDown}>
          {items.map((item) => (
            <button key={item.label} type="button" class="button" tabIndex={-1}
              role={item.isChecked === undefined ? 'menuitem' : 'menuitemradio'} aria-checked={item.isChecked}
              onClick={() => { close(); item.onPick(); }}>
              <Icon name={item.isChecked ? 'check' : item.icon ?? 'down'} />{item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
