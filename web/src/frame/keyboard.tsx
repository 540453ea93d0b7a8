// Shortcuts of the whole console. Single letters do nothing in fields and can be switched off (WCAG 2.1.4).
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { navigate } from './router';
import { screens } from './screens';
import { Dialog } from '../kit/dialog';
import { Switch } from '../kit/switch';
import { undoLast } from '../kit/undo_bar';
import { t } from '../text';

const kKey = 'syncline.letters';

const areOn = signal(readSetting());
export const isHelpOpen = signal(false);

function readSetting(): boolean {
  try {
    return localStorage.getItem(kKey) !== 'off';
  } catch {
    return true;
  }
}

function writeSetting(isOn: boolean): void {
  areOn.value = isOn;
  try {
    if (isOn) localStorage.removeItem(kKey);
    else localStorage.setItem(kKey, 'off');
  } catch {
    // without storage it holds until the page is closed
  }
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** How long after "g" its letter may come. */
const kSecondKeyMs = 1500;

/** Mounted in the frame, where somebody is signed in. */
export function useShortcuts(): void {
  useEffect(() => {
    let goUntil = 0;
    const onKeyDown = (event: KeyboardEvent) => {
      if (!areOn.value || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
      if (performance.now() < goUntil) {
        goUntil = 0;
        const screen = screens.find((one) => one.letter === event.key);
        if (screen) navigate(screen.path);
        return;
      }
      if (event.key === 'g') goUntil = performance.now() + kSecondKeyMs;
      if (event.key === 'u') undoLast();
      if (event.key === '?') isHelpOpen.value = true;
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}

/** The list of shortcuts, while it is open. */
export function KeyboardHelp() {
  if (!isHelpOpen.value) return null;
  const lines: [keys: string[], does: string][] = [
    [['?'], t.help.thisList], [['u'], t.help.undoes], [['Esc'], t.help.closes],
    ...screens.filter((one) => one.letter).map((one): [string[], string] => [['g', one.letter!], t.help.go(one.title())]),
  ];
  return (
    <Dialog title={t.help.title} onClose={() => { isHelpOpen.value = false; }}>
      <div class="stack">
        <table class="table">
          <thead><tr><th scope="col">{t.help.key}</th><th scope="col">{t.help.action}</th></tr></thead>
          <tbody>
            {lines.map(([keys, does]) => (
              <tr key={does}><td><span class="line">{keys.map((key) => <kbd key={key}>{key}</kbd>)}</span></td><td>{does}</td></tr>
            ))}
          </tbody>
        </table>
        <Switch label={t.help.enabled} isOn={areOn.value} onChange={writeSetting} />
      </div>
    </Dialog>
  );
}
