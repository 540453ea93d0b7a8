import { useSignal } from '@preact/signals';
import { Problem } from '../data/api';
import { addPasskey, obstacle, type Passkey } from '../data/passkey';
import { browserName } from '../data/session';
import { useForm } from '../frame/form';
import { blockedOffline } from '../frame/offline';
import { Banner } from '../kit/banner';
import { Button } from '../kit/button';
import { ErrorPanel } from '../kit/error_panel';
import { Field } from '../kit/field';
import { t } from '../text';

/** A name, and the browser's own dialog. Where passkeys do not work, the reason. */
export function AddPasskey({ onAdded }: { onAdded: (passkey: Passkey) => void }) {
  const wasCancelled = useSignal(false);
  const form = useForm(['label'], {
    send: async ({ label }) => {
      wasCancelled.value = false;
      try {
        onAdded(await addPasskey(label));
      } catch (error) {
        if (error instanceof Problem) throw error;
        wasCancelled.value = true;
      }
    },
  });
  const hindrance = obstacle();
  if (hindrance !== undefined) {
    return <p class="muted">{{ needsName: t.session.passkeyNeedsName, needsHttps: t.session.passkeyNeedsHttps,
      unsupported: t.session.passkeyUnsupported }[hindrance]}</p>;
  }
  return (
    <form class="stack" {...form.props}>
      {form.problem.value && <ErrorPanel problem={form.problem.value} />}
      {wasCancelled.value && <Banner tone="info" title={t.session.passkeyCancelled} />}
      <Field {...form.field('label')} label={t.account.passkeyName} defaultValue={browserName()} counts={50} required />
      <div><Button type="submit" icon="passkey" isBusy={form.isBusy.value} blocked={blockedOffline()}>{t.account.addPasskey}</Button></div>
    </form>
  );
}
