import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { AddPasskey } from './add_passkey';
import { Pairing } from './pairing';
import { call, Problem } from '../data/api';
import { take, session, type Session } from '../data/session';
import { useForm } from '../frame/form';
import { ThemeMenu } from '../frame/frame';
import { blockedOffline, OfflineBanner } from '../frame/offline';
import { isLocal, navigate } from '../frame/router';
import { Banner } from '../kit/banner';
import { Button } from '../kit/button';
import { ErrorPanel } from '../kit/error_panel';
import { Field } from '../kit/field';
import { UndoBar } from '../kit/undo_bar';
import { t } from '../text';

type Step = 0 | 1 | 2;
type Checked = 'yes' | 'other' | 'plain' | null;

const kNames = ['code', 'email', 'password', 'public_url'] as const;
const kPasswordBytesMin = 8;

/** An address that other devices can use is proposed; one of this machine is not. */
const proposedUrl = (): string => (isLocal(location.hostname) ? '' : location.origin);

function originIn(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Takes the code out of the address, so that it is in no history. */
function codeInAddress(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code) history.replaceState(null, '', location.pathname + location.search);
  return code;
}

function AccountStep({ code, onDone }: { code: string; onDone: (opened: Session) => void }) {
  const checked = useSignal<Checked>(null);
  const check = async (text: string) => {
    const url = originIn(text);
    checked.value = null;
    if (!url) return;
    if (url.origin !== location.origin) {
      checked.value = url.protocol === 'http:' && !isLocal(url.hostname) ? 'plain' : 'other';
      return;
    }
    const answer = await fetch('/health', { cache: 'no-store' }).catch(() => null);
    checked.value = answer?.ok ? 'yes' : null;
  };
  const form = useForm(kNames, {
    draft: 'setup', secrets: ['password', 'code'],
    check: ({ code: typed, email, password }) => ({
      ...(typed.replace(/[^0-9a-z]/gi, '').length === 8 ? {} : { code: t.setup.codeShort }),
      ...(email.includes('@') ? {} : { email: t.setup.emailMissing }),
      ...(new TextEncoder().encode(password).length >= kPasswordBytesMin ? {} : { password: t.setup.passwordShort }),
    }),
    send: async ({ code: typed, email, password, public_url: url }) => {
      const body = { code: typed, email, password, ...(url.trim() ? { public_url: url.trim() } : {}) };
      onDone(await call<Session>('POST', '/v1/setup', body, { isSignIn: true }));
    },
  });
  useEffect(() => void check(proposedUrl()), []);
  const hint = { yes: t.setup.urlChecked, other: t.setup.urlOther(location.origin), plain: t.setup.urlPlain };
  return (
    <form class="stack" {...form.props}>
      {form.problem.value && <ErrorPanel problem={form.problem.value} />}
      <Field {...form.field('code')} key={code} label={t.setup.code} hint={t.setup.codeHint} defaultValue={code} autocomplete="off" spellcheck={false} required />
      <Field {...form.field('email')} label={t.setup.email} type="email" autocomplete="username" required />
      <Field {...form.field('password')} label={t.setup.password} hint={t.setup.passwordHint} canReveal autocomplete="new-password" required />
      <Field {...form.field('public_url')} label={t.setup.url} type="url" isOptional defaultValue={proposedUrl()} autocomplete="off"
        hint={<>{t.setup.urlHint} <span role="status">{checked.value && <strong>{hint[checked.value]}</strong>}</span></>}
        onInput={(event) => void check(event.currentTarget.value)} />
      <div><Button type="submit" kind="primary" isBusy={form.isBusy.value} blocked={blockedOffline()}>{t.setup.submit}</Button></div>
    </form>
  );
}

function PasskeyStep({ onDone }: { onDone: () => void }) {
  return (
    <section class="stack" aria-labelledby="passkey">
      <h2 id="passkey">{t.setup.passkeyTitle}</h2>
      <p>{t.setup.passkeyWhy}</p>
      <AddPasskey onAdded={onDone} />
      <div><Button onClick={onDone}>{t.setup.skip}</Button></div>
    </section>
  );
}

function PhoneStep({ onDone }: { onDone: () => void }) {
  return (
    <section class="stack" aria-labelledby="phone">
      <h2 id="phone">{t.setup.phoneTitle}</h2>
      {isLocal(location.hostname) ? <p>{t.setup.phoneLocal}</p> : <><p>{t.setup.phoneWhy}</p><Pairing /></>}
      <div><Button kind="primary" onClick={onDone}>{t.setup.finish}</Button></div>
    </section>
  );
}

export default function Setup() {
  const step = useSignal<Step>(0);
  const code = useSignal(codeInAddress());
  const isNeeded = useSignal<boolean | null>(null);
  const problem = useSignal<Problem | null>(null);
  const account = useSignal('');
  const ask = () => {
    problem.value = null;
    call<{ needed: boolean }>('GET', '/v1/setup', undefined, { isSignIn: true }).then(
      ({ needed }) => { isNeeded.value = needed; },
      (error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        problem.value = error;
      });
  };
  useEffect(ask, []);
  useEffect(() => {
    // The link that the hub prints, opened while this page is.
    const onHashChange = () => { code.value = codeInAddress() || code.value; };
    addEventListener('hashchange', onHashChange);
    return () => removeEventListener('hashchange', onHashChange);
  }, []);
  useEffect(() => { if (step.value > 0) document.querySelector<HTMLElement>('h1')?.focus(); }, [step.value]);
  const enter = (opened: Session) => {
    take(opened);
    account.value = opened.account;
    step.value = 1;
  };
  return (
    <main class="door stack wide">
      <OfflineBanner />
      <div class="line apart"><span class="brand">{t.product}</span><ThemeMenu /></div>
      <h1 tabIndex={-1}>{t.setup.title}</h1>
      {problem.value && <ErrorPanel problem={problem.value} onRetry={ask} />}
      {step.value === 0 && isNeeded.value === false && (
        <Banner tone="info" title={t.setup.already} actions={<a class="button" href={session.value ? '/console/' : '/console/sign-in'}>{
          session.value ? t.setup.finish : t.session.signIn}</a>}>{t.setup.alreadyDetail}</Banner>
      )}
      {(isNeeded.value || step.value > 0) && (
        <>
          <ol class="steps">
            {t.setup.steps.map((name, i) => (
              <li key={name} aria-current={i === step.value ? 'step' : undefined}>{t.setup.step(i + 1, name)}</li>
            ))}
          </ol>
          {step.value > 0 && <Banner tone="ok" title={t.setup.done(account.value)} />}
          {step.value === 0 && <AccountStep code={code.value} onDone={enter} />}
          {step.value === 1 && <PasskeyStep onDone={() => { step.value = 2; }} />}
          {step.value === 2 && <PhoneStep onDone={() => navigate('/')} />}
        </>
      )}
      <UndoBar />
    </main>
  );
}
