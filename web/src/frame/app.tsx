// Which screen is shown, and to whom: without a session there is only the way to one.
import { batch, useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Frame } from './frame';
import { OfflineBanner } from './offline';
import { address, navigate, path } from './router';
import { screenAt, type Screen } from './screens';
import { call, Problem } from '../data/api';
import { returns } from '../data/connection';
import { findSession, session } from '../data/session';
import { Button } from '../kit/button';
import { Banner } from '../kit/banner';
import { ErrorPanel } from '../kit/error_panel';
import { t } from '../text';

/** Asks who is signed in, and leads to the right door: the first run, the sign-in, or where the address leads. */
async function findDoor(): Promise<void> {
  const found = await findSession();
  let door: string | undefined;
  if (!found && path.value !== '/kit') {
    const { needed } = await call<{ needed: boolean }>('GET', '/v1/setup', undefined, { isSignIn: true });
    if (needed && path.value !== '/setup') door = `/setup${location.hash}`;
    else if (!needed && !screenAt(path.value)?.isDoor) door = signInFor(path.value + location.search);
  }
  // At once: an address and a session that do not fit would lead elsewhere.
  batch(() => {
    session.value = found;
    if (door !== undefined) navigate(door, 'replace');
  });
}

const signInFor = (to: string): string => `/sign-in?to=${encodeURIComponent(to)}`;

function NotFound() {
  return (
    <div class="screen">
      <h1 tabIndex={-1}>{t.notFoundTitle}</h1>
      <p>{t.notFound}</p>
      <p><a href="/console/">{t.toStart}</a></p>
    </div>
  );
}

/** The screen, once its module is there. */
function Shown({ screen }: { screen: Screen }) {
  const loaded = useSignal<{ of: Screen; component: ComponentType } | null>(null);
  const hasFailed = useSignal(false);
  useEffect(() => {
    let isWanted = true;
    hasFailed.value = false;
    screen.load().then(({ default: component }) => { if (isWanted) loaded.value = { of: screen, component }; },
      () => { hasFailed.value = isWanted; });
    return () => { isWanted = false; };
  }, [screen]);
  if (hasFailed.value) {
    return (
      <Banner tone="bad" title={t.loading} actions={<Button onClick={() => location.reload()}>{t.reload}</Button>}>
        {t.failedToLoad}
      </Banner>
    );
  }
  if (loaded.value?.of !== screen) return <p class="muted" role="status">{t.loading}</p>;
  const { component: Component } = loaded.value;
  return <Component />;
}

/** After each change of screen, the focus is on its heading. */
function useHeadingFocus(at: string): void {
  const before = useRef(at);
  useEffect(() => {
    if (before.current === at) return undefined;
    before.current = at;
    const observer = new MutationObserver(() => focus());
    const focus = () => {
      const heading = document.querySelector<HTMLElement>('h1');
      if (!heading) return;
      observer.disconnect();
      heading.focus();
    };
    observer.observe(document.getElementById('app')!, { childList: true, subtree: true });
    focus();
    return () => observer.disconnect();
  }, [at]);
}

export function App() {
  const problem = useSignal<Problem | null>(null);
  const back = returns.value;
  const at = path.value;
  const who = session.value;
  useEffect(() => {
    if (session.value !== undefined) return;
    problem.value = null;
    findDoor().catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      problem.value = error;
    });
  }, [back]);
  const screen = screenAt(at);
  useEffect(() => {
    document.title = `${screen?.title() ?? t.notFoundTitle} · ${t.product}`;
    // Both may have changed since this was drawn.
    if (session.value === null && path.value === at && screen && !screen.isDoor) navigate(signInFor(at), 'replace');
  }, [at, who]);
  useHeadingFocus(at);

  if (who === undefined) {
    return (
      <main class="door stack">
        <OfflineBanner />
        {problem.value && !problem.value.isUnreachable && <ErrorPanel problem={problem.value} onRetry={() => location.reload()} />}
        {!problem.value && <p class="muted" role="status">{t.loading}</p>}
      </main>
    );
  }
  if (screen?.isDoor) return <Shown screen={screen} />;
  if (who === null) return null;  // on the way to a door
  return <Frame>{screen ? <Shown screen={screen} /> : <NotFound />}</Frame>;
}

/** Where to go after signing in: only below the console. */
export function wantedPath(): string {
  const to = address.value.query.get('to') ?? '/';
  return to.startsWith('/') && !to.startsWith('//') && !screenAt(to.split('?')[0]!)?.isDoor ? to : '/';
}
