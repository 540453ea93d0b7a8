// A code for another device: QR, text, and what became of it, all by itself.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { call, Problem } from '../data/api';
import { now, second } from '../data/clock';
import { Banner } from '../kit/banner';
import { Button } from '../kit/button';
import { Copyable } from '../kit/copyable';
import { ErrorPanel } from '../kit/error_panel';
import { offerUndo } from '../kit/undo_bar';
import { isLocal } from '../frame/router';
import { foreign } from '../text/format';
import { t } from '../text';

interface Made { id: string; code: string; url: string; svg: string; expires_at: string }
interface Status { state: 'waiting' | 'claimed' | 'expired'; device?: { id: string; label: string } }

/** How long one request waits for the device. */
const kWaitSeconds = 15;

/** `onChange`: a device was paired or removed. */
export function Pairing({ onChange }: { onChange?: () => void }) {
  const made = useSignal<Made | null>(null);
  const status = useSignal<Status | null>(null);
  const problem = useSignal<Problem | null>(null);
  const aborter = useRef(new AbortController());

  const run = async () => {
    aborter.current.abort();
    const { signal } = aborter.current = new AbortController();
    problem.value = status.value = made.value = null;
    try {
      const pairing = made.value = await call<Made>('POST', '/v1/pairings', {}, { signal });
      do {
        status.value = await call<Status>('GET', `/v1/pairings/${pairing.id}?wait=${kWaitSeconds}`, undefined, { signal });
      } while (status.value.state === 'waiting');
      if (status.value.state === 'claimed') onChange?.();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      problem.value = error;
    }
  };
  useEffect(() => {
    void run();
    return () => aborter.current.abort();
  }, []);

  const remove = async ({ id, label }: { id: string; label: string }) => {
    try {
      await call('DELETE', `/v1/sessions/${id}`);
      offerUndo({ says: t.pairing.removed(foreign(label)) });
      onChange?.();
      void run();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem.value = error;
    }
  };

  void second.value;  // drawn again each second
  if (problem.value) return <ErrorPanel problem={problem.value} onRetry={() => void run()} />;
  const device = status.value?.device;
  if (status.value?.state === 'claimed' && device) {
    return (
      <Banner tone="ok" title={t.pairing.paired(foreign(device.label))}
        actions={<Button icon="undo" onClick={() => void remove(device)}>{t.pairing.remove}</Button>} />
    );
  }
  if (status.value?.state === 'expired') {
    return <Banner tone="info" title={t.pairing.expired} actions={<Button onClick={() => void run()}>{t.pairing.newCode}</Button>} />;
  }
  if (!made.value) return <p class="muted" role="status">{t.loading}</p>;
  const { code, url, svg, expires_at: end } = made.value;
  return (
    <div class="stack">
      {isLocal(location.hostname) && <Banner tone="info" title={t.pairing.local} />}
      <img class="qr" alt={t.pairing.qr} src={`data:image/svg+xml,${encodeURIComponent(svg)}`} />
      <p class="pair-code">{code}</p>
      <Copyable label={t.pairing.title} text={url} />
      <p class="muted">{t.pairing.scopes}</p>
      <p class="numbers" aria-live="off">{t.pairing.expires(Math.max(0, Math.ceil((Date.parse(end) - now()) / 1000)))}</p>
    </div>
  );
}
