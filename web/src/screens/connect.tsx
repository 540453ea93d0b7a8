import { useSignal } from '@preact/signals';
import { call } from '../data/api';
import { session } from '../data/session';
import { blockedOffline } from '../frame/offline';
import { useForm } from '../frame/form';
import { Button } from '../kit/button';
import { Banner } from '../kit/banner';
import { Copyable } from '../kit/copyable';
import { Dialog } from '../kit/dialog';
import { ErrorPanel } from '../kit/error_panel';
import { Field } from '../kit/field';
import { Switch } from '../kit/switch';
import { clients, type Client } from './clients';
import { t } from '../text';

interface MadeKey { key: string; label: string }

const scopeWords = (scopes: readonly string[]): string => scopes.map((one) => t.scopes[one] ?? one).join(', ');

/** A random UUID (version 4); crypto.randomUUID() is missing where the hub is reached by plain http. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function KeyDialog({ client, onClose }: { client: Client; onClose: () => void }) {
  const made = useSignal<MadeKey | null>(null);
  const isCopied = useSignal(false);
  const form = useForm(['label'], {
    send: async ({ label }) => {
      // The published desktop takes no other form of a key.
      const token = client.needsUuid ? { token: uuid() } : {};
      made.value = await call<MadeKey>('POST', '/v1/keys', { label, scopes: client.scopes, ...token });
    },
  });
  if (made.value) {
    const { key } = made.value;
    return (
      <Dialog title={t.connect.keyReady}>
        <div class="stack">
          <Banner tone="warn" title={t.connect.keyOnce} />
          <Copyable label={t.session.key} text={key} />
          <h3>{t.connect.steps}</h3>
          {client.steps(location.origin, key).map((line) => <Copyable key={line} label={client.name} text={line} />)}
          {client.says && <p>{client.says}</p>}
          <Switch label={t.connect.copiedIt} isOn={isCopied.value} onChange={(isOn) => { isCopied.value = isOn; }} />
        </div>
        <div class="dialog-actions">
          <Button kind="primary" blocked={isCopied.value ? undefined : t.connect.keyOnce} onClick={onClose}>{t.close}</Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t.connect.makeKey(client.name)} onClose={onClose}>
      <form class="stack" {...form.props}>
        {form.problem.value && <ErrorPanel problem={form.problem.value} />}
        <Field {...form.field('label')} label={t.connect.keyLabel} defaultValue={client.label} counts={50} required />
        <p class="muted">{t.connect.may(scopeWords(client.scopes))}</p>
        <div class="dialog-actions">
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" kind="primary" isBusy={form.isBusy.value} blocked={blockedOffline()}>{t.connect.makeKey(client.name)}</Button>
        </div>
      </form>
    </Dialog>
  );
}

export default function Connect() {
  const chosen = useSignal<Client | null>(null);
  const blocked = session.value?.scopes.includes('keys') ? blockedOffline() : t.connect.noRight;
  return (
    <div class="screen">
      <h1 tabIndex={-1}>{t.connect.title}</h1>
      <p>{t.connect.intro}</p>
      <section class="stack" aria-labelledby="address">
        <h2 id="address">{t.connect.address}</h2>
        <Copyable label={t.connect.address} text={location.origin} />
      </section>
      <div class="cards">
        {clients.map((client) => (
          <section class="card stack" key={client.name} aria-labelledby={client.id}>
            <h2 id={client.id}>{client.name}</h2>
            <p>{client.what}</p>
            <p class="muted">{t.connect.may(scopeWords(client.scopes))}</p>
            <div><Button icon="key" blocked={blocked} onClick={() => { chosen.value = client; }}>{t.connect.makeKey(client.name)}</Button></div>
          </section>
        ))}
      </div>
      {chosen.value && <KeyDialog client={chosen.value} onClose={() => { chosen.value = null; }} />}
    </div>
  );
}
