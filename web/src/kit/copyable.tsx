import { useState } from 'preact/hooks';
import { Icon } from './icon';
import { t } from '../text';

/** Puts text on the clipboard; false where the browser does not let pages do so. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A line to copy: a command, an address, a key. Where the clipboard is closed to pages, the line is selected. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  const onClick = async (event: MouseEvent) => {
    const code = (event.currentTarget as HTMLElement).previousElementSibling!;
    if (!await copy(text)) getSelection()?.selectAllChildren(code);
    else setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="code-line">
      <code tabIndex={0} role="textbox" aria-readonly="true" aria-label={label}>{text}</code>
      <button type="button" class="button" title={t.copy} aria-label={`${t.copy}: ${label}`} onClick={(event) => void onClick(event)}>
        <Icon name={isCopied ? 'check' : 'copy'} />
      </button>
      <span class="visually-hidden" role="status">{isCopied ? t.copied : ''}</span>
    </div>
  );
}
