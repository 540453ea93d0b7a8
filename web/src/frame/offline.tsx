import { Banner } from '../kit/banner';
import { Button } from '../kit/button';
import { now, second } from '../data/clock';
import { silence, tryNow } from '../data/connection';
import { clockTime } from '../text/format';
import { t } from '../text';

/** Why nothing can be changed now; undefined if it can. For Button's `blocked`. */
export const blockedOffline = (): string | undefined => (silence.value ? t.offline.blocked : undefined);

/** While the hub does not answer: since when, and the next try. */
export function OfflineBanner() {
  const silent = silence.value;
  if (!silent) return null;
  void second.value;  // drawn again each second
  const left = Math.max(0, Math.ceil((silent.nextTry - now()) / 1000));
  return (
    <Banner tone="warn" title={t.offline.title(clockTime(silent.since))}
      actions={<Button onClick={() => void tryNow()}>{t.offline.tryNow}</Button>}>
      <span class="numbers" aria-live="off">{t.offline.next(left)}</span>
    </Banner>
  );
}
