// Whether the hub answers. Every request tells it, and while nothing else is asked, a small one every few seconds.
import { signal } from '@preact/signals';
import { now } from './clock';

export interface Silence { since: number; nextTry: number }

/** Null while the hub answers. Times of the hub's clock, in milliseconds. */
export const silence = signal<Silence | null>(null);
/** Counts each return of the hub: what is shown is then fetched again. */
export const returns = signal(0);

const kBeatMs = 4000;
/** Delays of the tries after a failure, the last one for all that follow: a hub that is back is noticed within 5 s. */
const kRetryMs = [1000, 2000, 4000];

let heardAt = 0;
let tries = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

export function noteAnswer(): void {
  heardAt = performance.now();
  if (!silence.value) return;
  silence.value = null;
  tries = 0;
  returns.value += 1;
  schedule(kBeatMs);
}

export function noteSilence(): void {
  const delay = kRetryMs[Math.min(tries, kRetryMs.length - 1)]!;
  tries += 1;
  silence.value = { since: silence.value?.since ?? now(), nextTry: now() + delay };
  schedule(delay);
}

function schedule(delayMs: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void beat(), delayMs);
}

async function beat(): Promise<void> {
  if (!silence.value && (document.visibilityState !== 'visible' || performance.now() - heardAt < kBeatMs)) {
    schedule(kBeatMs);
    return;
  }
  await tryNow();
}

/** Asks the hub at once. */
export async function tryNow(): Promise<void> {
  clearTimeout(timer);
  try {
    const answer = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(kBeatMs) });
    if (!answer.ok) throw new Error(String(answer.status));
    noteAnswer();
    schedule(kBeatMs);
  } catch {
    noteSilence();
  }
}

/** Once, when the console starts. */
export function watchConnection(): void {
  schedule(kBeatMs);
  for (const event of ['online', 'visibilitychange']) {
    const target = event === 'online' ? window : document;
    target.addEventListener(event, () => { if (document.visibilityState === 'visible') void tryNow(); });
  }
}
