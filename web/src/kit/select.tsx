import { useId, useRef, useState } from 'preact/hooks';
import { FieldFrame } from './field';
import { t } from '../text';

export interface Choice { value: string; label: string }

interface SelectProps {
  label: string;
  name: string;
  choices: readonly Choice[];
  defaultValue?: string;
  hint?: string;
  error?: string;
}

/** For few choices: the platform's own. */
export function Select({ label, name, choices, defaultValue, hint, error }: SelectProps) {
  return (
    <FieldFrame label={label} hint={hint} error={error}>
      {(wiring) => (
        <select class="input" name={name} {...wiring}>
          {choices.map(({ value, label: words }) => <option key={value} value={value} selected={value === defaultValue}>{words}</option>)}
        </select>
      )}
    </FieldFrame>
  );
}

interface ComboboxProps {
  label: string;
  name: string;
  choices: readonly Choice[];
  hint?: string;
  defaultValue?: string;
  onPick?: (value: string) => void;
}

const folded = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** For many choices: typing narrows them, case and accents aside. Text that is no choice is not a value. */
export function Combobox({ label, name, choices, hint, defaultValue = '', onPick }: ComboboxProps) {
  const list = useId();
  const input = useRef<HTMLInputElement>(null);
  const labelOf = (value: string) => choices.find((one) => one.value === value)?.label ?? '';
  const [value, setValue] = useState(defaultValue);
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const found = typed === null ? choices : choices.filter((one) => folded(one.label).includes(folded(typed)));
  const [isOpen, setOpen] = useState(false);
  const open = () => { setOpen(true); setActive(Math.max(0, found.findIndex((one) => one.value === value))); };
  const close = () => { setOpen(false); setTyped(null); };
  const pick = (choice: Choice | undefined) => {
    if (choice) {
      setValue(choice.value);
      onPick?.(choice.value);
    }
    close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (!isOpen) open();
      else setActive((active + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter' && isOpen) {
      event.preventDefault();
      pick(found[active]);
    } else if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  return (
    <FieldFrame label={label} hint={hint}>
      {(wiring) => (
        <div class="combobox">
          <input type="hidden" name={name} value={value} />
          <input class="input" {...wiring} ref={input} role="combobox" autocomplete="off" aria-expanded={isOpen}
            aria-controls={list} aria-autocomplete="list" value={typed ?? labelOf(value)}
            aria-activedescendant={isOpen && found[active] ? `${list}-${active}` : undefined}
            onInput={(event) => { setTyped(event.currentTarget.value); setActive(0); setOpen(true); }}
            onClick={open} onBlur={close} onKeyDown={onKeyDown} />
          <ul class="options" role="listbox" id={list} aria-label={label} hidden={!isOpen || found.length === 0}>
            {found.map((choice, i) => (
              <li key={choice.value} id={`${list}-${i}`} role="option" aria-selected={i === active}
                onPointerDown={(event) => event.preventDefault()} onClick={() => pick(choice)}>{choice.label}</li>
            ))}
          </ul>
          <span class="visually-hidden" role="status">{isOpen ? t.combobox.results(found.length) : ''}</span>
        </div>
      )}
    </FieldFrame>
  );
}
