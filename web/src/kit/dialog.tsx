import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icon';
import { t } from '../text';

interface DialogProps {
  title: string;
  /** Absent: nothing but its own buttons closes it. */
  onClose?: () => void;
  shape?: 'dialog' | 'sheet' | 'sheet start';
  children: ComponentChildren;
}

/** Modal while it is drawn. The focus returns to where it was. */
export function Dialog({ title, onClose, shape = 'dialog', children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    const node = dialog.current!;
    node.showModal();
    node.querySelector<HTMLElement>('input:not([type=hidden]), select, textarea')?.focus();
    // A browser closes a dialog at the second Escape, whatever the page says; this one stays until it is not drawn.
    const stay = () => node.showModal();
    node.addEventListener('close', stay);
    return () => {
      node.removeEventListener('close', stay);
      node.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class={shape} aria-labelledby={heading}
      onCancel={(event) => { event.preventDefault(); onClose?.(); }}
      onClick={(event) => { if (event.target === event.currentTarget) onClose?.(); }}>
      <div class="dialog-head">
        <h2 id={heading}>{title}</h2>
        {onClose && (
          <button type="button" class="button quiet" aria-label={t.close} title={t.close} onClick={onClose}><Icon name="close" /></button>
        )}
      </div>
      {children}
    </dialog>
  );
}

/** From the side: details of what stays in view. Fills a narrow window. */
export const Sheet = (props: Omit<DialogProps, 'shape'> & { side?: 'start' | 'end' }) => (
  <Dialog {...props} shape={props.side === 'start' ? 'sheet start' : 'sheet'} />
);
