import type { ComponentChildren, InputHTMLAttributes, TargetedInputEvent } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Icon } from './icon';
import { t } from '../text';

interface FrameProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  isOptional?: boolean;
}

/** What the control of a field carries, so that label, hint and error belong to it. */
interface Wiring {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': 'true' | undefined;
}

/** Label, hint and error around a control. The error is announced when it comes. */
export function FieldFrame({ label, hint, error, isOptional, children }: FrameProps & { children: (wiring: Wiring) => ComponentChildren }) {
  const id = useId();
  const described = [hint !== undefined ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}{isOptional && <span class="muted"> ({t.optional})</span>}</label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? 'true' : undefined })}
      {hint !== undefined && <div class="hint" id={`${id}-hint`}>{hint}</div>}
      <div role="alert" id={`${id}-error`}>
        {error && <span class="error"><Icon name="error" /><span>{error}</span></span>}
      </div>
    </div>
  );
}

export interface FieldProps extends FrameProps {
  name: string;
  type?: 'text' | 'email' | 'url' | 'password';
  defaultValue?: string;
  required?: boolean;
  autocomplete?: string;
  spellcheck?: boolean;
  onInput?: (event: TargetedInputEvent<HTMLInputElement>) => void;
  /** A password that can be shown. */
  canReveal?: boolean;
  /** Counts down to this many characters. */
  counts?: number;
}

export function Field({ label, hint, error, isOptional, canReveal = false, counts, type = 'text', onInput, ...input }: FieldProps) {
  const [isShown, setShown] = useState(false);
  const [used, setUsed] = useState(input.defaultValue?.length ?? 0);
  return (
    <FieldFrame label={label} hint={hint} error={error} isOptional={isOptional ?? false}>
      {(wiring) => (
        <>
          <div class="box">
            <input class="input" {...input} {...wiring} {...{ type: canReveal && !isShown ? 'password' : type } as InputHTMLAttributes<HTMLInputElement>}
              maxLength={counts} onInput={(event) => {
                if (counts !== undefined) setUsed(event.currentTarget.value.length);
                onInput?.(event);
              }} />
            {canReveal && (
              <button type="button" class="button" aria-pressed={isShown} aria-controls={wiring.id}
                aria-label={t.showPassword} title={isShown ? t.hidePassword : t.showPassword} onClick={() => setShown(!isShown)}>
                <Icon name={isShown ? 'hide' : 'eye'} />
              </button>
            )}
          </div>
          {counts !== undefined && <div class="counter numbers">{t.charactersLeft(counts - used)}</div>}
        </>
      )}
    </FieldFrame>
  );
}
