// The frame around the screens of people who are signed in: navigation, the sync sentence, theme and account.
import { batch, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { isHelpOpen, KeyboardHelp, useShortcuts } from './keyboard';
import { OfflineBanner } from './offline';
import { hrefOf, navigate, path } from './router';
import { screens, type Screen } from './screens';
import { SignInAgain } from './sign_in_again';
import { theme, setTheme, type Theme } from './theme';
import { now, second } from '../data/clock';
import { silence } from '../data/connection';
import { forgetSession, isOver, session, signOut } from '../data/session';
import { Problem } from '../data/api';
import { Sheet } from '../kit/dialog';
import { ErrorPanel } from '../kit/error_panel';
import { Icon, type IconName } from '../kit/icon';
import { Menu } from '../kit/menu';
import { StateChip } from '../kit/state_chip';
import { UndoBar } from '../kit/undo_bar';
import { sentence, type Facts } from '../sync/sentence';
import { clockTime } from '../text/format';
import { t } from '../text';

function Navigation() {
  const groups = new Map<string, Screen[]>();
  for (const screen of screens) {
    const group = screen.group?.();
    if (group !== undefined) groups.set(group, [...groups.get(group) ?? [], screen]);
  }
  return (
    <div class="nav">
      {[...groups].map(([group, members]) => (
        <section key={group}>
          <h2>{group}</h2>
          <ul>
            {members.map((one) => (
              <li key={one.path}>
                <a href={hrefOf(one.path)} aria-current={path.value === one.path ? 'page' : undefined}>
                  <Icon name={one.icon!} />{one.title()}
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** What the console itself knows of the hub. */
function facts(): Facts {
  if (silence.value) {
    void second.value;
    const seconds = Math.max(0, Math.ceil((silence.value.nextTry - now()) / 1000));
    return { silent_since: clockTime(silence.value.since), next_try: `in ${seconds} s` };
  }
  return isOver.value ? { signed_out: 1 } : { connected: 1 };
}

export function SyncSentence() {
  const { tone, icon, word, says } = sentence(facts());
  return (
    <div class="sentence" role="status" aria-live={silence.value ? 'off' : 'polite'}>
      <StateChip tone={tone} icon={icon as IconName} word={word} /><span>{says}</span>
    </div>
  );
}

export function ThemeMenu() {
  const items = (['system', 'light', 'dark'] as const).map((one: Theme) => ({ label: t.theme[one],
    isChecked: theme.value === one, icon: one === 'system' ? 'system' as const : one === 'light' ? 'sun' as const : 'moon' as const,
    onPick: () => setTheme(one) }));
  return <Menu label={t.theme.title} icon={theme.value === 'dark' ? 'moon' : theme.value === 'light' ? 'sun' : 'system'} items={items} />;
}

export function Frame({ children }: { children: ComponentChildren }) {
  const isRailOpen = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  useShortcuts();
  const here = path.value;
  useEffect(() => { isRailOpen.value = false; }, [here]);
  const leave = () => {
    problem.value = null;
    // At once, or the page would ask for a sign-in that leads back to it.
    signOut().then(() => batch(() => { forgetSession(); navigate('/sign-in'); }), (error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      problem.value = error;
    });
  };
  return (
    <div class="frame">
      <a class="skip button" href="#content">{t.skipToContent}</a>
      <div class="rail">
        <nav aria-label={t.navigation}><span class="brand">{t.product}</span><Navigation /></nav>
      </div>
      <header class="bar">
        <button type="button" class="button quiet rail-button" aria-label={t.navigation} title={t.navigation}
          onClick={() => { isRailOpen.value = true; }}><Icon name="menu" /></button>
        <SyncSentence />
        <div class="tools">
          <ThemeMenu />
          <Menu label={session.value?.account ?? t.account.title} icon="account" items={[
            { label: t.account.title, icon: 'account', onPick: () => navigate('/account') },
            { label: t.help.title, icon: 'keyboard', onPick: () => { isHelpOpen.value = true; } },
            { label: t.session.signOut, icon: 'leave', onPick: leave },
          ]} />
        </div>
      </header>
      <main class="main stack wide" id="content" tabIndex={-1}>
        <OfflineBanner />
        {problem.value && <ErrorPanel problem={problem.value} onRetry={leave} />}
        {children}
      </main>
      <UndoBar />
      <KeyboardHelp />
      {isOver.value && <SignInAgain />}
      {isRailOpen.value && (
        <Sheet title={t.product} side="start" onClose={() => { isRailOpen.value = false; }}>
          <nav aria-label={t.navigation}><Navigation /></nav>
        </Sheet>
      )}
    </div>
  );
}
