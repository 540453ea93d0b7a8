import { useSignal } from '@preact/signals';
import { Problem } from '../data/api';
import { now, second } from '../data/clock';
import { askForPasskey, obstacle } from '../data/passkey';
import { session, signIn, type Credential } from '../data/session';
import { useForm } from '../frame/form';
import { blockedOffline } from '../frame/offline';
import { Banner } from '../kit/banner';
import { Button } from '../kit/button';
import { Copyable } from '../kit/copyable';
import { ErrorPanel } from '../kit/error_panel';
import { Field } from '../kit/field';
import { countdown } from '../text/format';
import { t } from '../text';

interface SignInFormProps {
  email?: string;
  /** The account that the page below belongs to. */
  onlyFor?: string;
  onDone?: () => void;
}

type Means = 'password' | 'key' | 'passkey';

interface Failure { problem: Problem; means: Means }

/** A wrong credential in plain words; anything else as the hub says it. */
function Refusal({ problem, means }: Failure) {
  if (problem.body.status !== 401) return <ErrorPanel problem={problem} title={t.session.failed} />;
  return <Banner tone="bad" title={{ password: t.session.wrong, key: t.session.wrongKey, passkey: t.session.wrongPasskey }[means]} />;
}

/** For a line to copy into a shell: an address with other characters is left to the person. */
const shellSafe = (email: string): string => (/^[\w.+@-]+$/.test(email) ? email : 'EMAIL');

export function SignInForm({ email = '', onlyFor, onDone }: SignInFormProps) {
  const byKey = useSignal(false);
  const typed = useSignal(email);
  const keeps = useSignal(false);
  const waitUntil = useSignal(0);
  const failure = useSignal<Failure | null>(null);
  const wasCancelled = useSignal(false);
  const isAsking = useSignal(false);

  const open = async (credential: Credential, means: Means) => {
    failure.value = null;
    wasCancelled.value = false;
    try {
      await signIn({ ...credential, keep: keeps.value }, onlyFor);
      onDone?.();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.body.status === 429) waitUntil.value = now() + (error.body.retry_after ?? 60) * 1000;
      else failure.value = { problem: error, means };
    }
  };
  const form = useForm(['email', 'password', 'key'], {
    draft: 'sign-in', secrets: ['password', 'key'],
    send: async ({ email: address, password, key }) => {
      await (byKey.value ? open({ key }, 'key') : open({ email: address, password }, 'password'));
    },
  });
  const usePasskey = async () => {
    isAsking.value = true;
    try {
      await open({ passkey: await askForPasskey() }, 'passkey');
    } catch (error) {
      if (error instanceof Problem) failure.value = { problem: error, means: 'passkey' };
      else wasCancelled.value = true;
    } finally {
      isAsking.value = false;
    }
  };

  void second.value;  // drawn again each second, for the countdown
  const left = (waitUntil.value - now()) / 1000;
  const blocked = left > 0 ? t.session.wait(countdown(left)) : blockedOffline();
  const hindrance = obstacle();
  return (
    <div class="stack">
      {waitUntil.value > 0 && (
        <Banner tone="warn" title={left > 0 ? t.session.tooMany : t.session.waitOver}>
          {left > 0 && <span class="numbers" aria-live="off">{t.session.wait(countdown(left))}</span>}
        </Banner>
      )}
      {failure.value && <Refusal {...failure.value} />}
      {wasCancelled.value && <Banner tone="info" title={t.session.passkeyCancelled} />}
      {onlyFor !== undefined && <p class="muted">{t.session.otherAccount(onlyFor)}</p>}
      <form class="stack" {...form.props}>
        {byKey.value ? (
          <Field {...form.field('key')} key="key" label={t.session.key} hint={t.session.keyHint} type="text" canReveal required autocomplete="off" spellcheck={false} />
        ) : (
          <>
            <Field {...form.field('email')} key="email" label={t.session.email} type="email" autocomplete="username" required
              defaultValue={email} onInput={(event) => { typed.value = event.currentTarget.value; }} />
            <Field {...form.field('password')} key="password" label={t.session.password} canReveal autocomplete="current-password" required />
          </>
        )}
        <label class="line">
          <input type="checkbox" checked={keeps.value} onChange={(event) => { keeps.value = event.currentTarget.checked; }} />
          {t.session.keep}
        </label>
        <p class="hint muted">{t.session.keepHint}</p>
        <Button type="submit" kind="primary" isBusy={form.isBusy.value} blocked={blocked}>{t.session.signIn}</Button>
      </form>
      <div class="or">{t.session.or}</div>
      <div class="line">
        {hindrance === undefined && (
          <Button icon="passkey" isBusy={isAsking.value} blocked={blocked} onClick={() => void usePasskey()}>{t.session.withPasskey}</Button>
        )}
        <Button icon={byKey.value ? 'account' : 'key'} onClick={() => { byKey.value = !byKey.value; }}>
          {byKey.value ? t.session.withPassword : t.session.withKey}
        </Button>
      </div>
      {hindrance !== undefined && (
        <p class="muted">{{ needsName: t.session.passkeyNeedsName, needsHttps: t.session.passkeyNeedsHttps,
          unsupported: t.session.passkeyUnsupported }[hindrance]}</p>
      )}
      <details>
        <summary>{t.session.forgotten}</summary>
        <Copyable label={t.session.forgotten} text={`syncline account reset ${shellSafe(typed.value || session.value?.account || 'EMAIL')}`} />
      </details>
    </div>
  );
}
