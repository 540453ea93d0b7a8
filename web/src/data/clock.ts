// The hub's clock, which is the only one that the console shows. The device's may be hours wrong, so each sample is tied
// to performance.now(), which no setting of the clock moves.
import { signal } from '@preact/signals';

interface Sample { hubMs: number; at: number; roundTrip: number; wall: number }

let best: Sample | undefined;

/** False until the hub has said its time, and after the device slept or its clock was set: times then carry a "≈". */
export const isExact = signal(false);
/** Ticks at each second, for what counts. */
export const second = signal(0);

/** What the samples say: the one with the shortest round trip is the most exact. Exported for its test. */
export function bestOf(samples: readonly Sample[]): Sample | undefined {
  return samples.reduce<Sample | undefined>((found, one) => (found && found.roundTrip <= one.roundTrip ? found : one), undefined);
}

/** Milliseconds since 1970 by the hub; by this device while the hub has not said its time. */
export function now(): number {
  return best ? best.hubMs + best.roundTrip / 2 + (performance.now() - best.at) : Date.now();
}

/** Whether the two clocks of this device have parted since the sample: it slept, or its clock was set. */
export const haveParted = (sample: Sample, wall: number, steady: number): boolean =>
  Math.abs((wall - sample.wall) - (steady - sample.at)) > 2000;

async function sample(): Promise<Sample | undefined> {
  const before = performance.now();
  try {
    const answer = await fetch('/v1/time', { cache: 'no-store' });
    const { now: text } = (await answer.json()) as { now: string };
    const at = performance.now();
    const hubMs = Date.parse(text);
    return Number.isNaN(hubMs) ? undefined : { hubMs, at, roundTrip: at - before, wall: Date.now() };
  } catch {
    return undefined;
  }
}

async function synchronise(): Promise<void> {
  const samples = [];
  for (let i = 0; i < 3; ++i) samples.push(await sample());
  const found = bestOf(samples.filter((one) => one !== undefined));
  if (!found) return;
  best = found;
  isExact.value = true;
}

function tick(): void {
  if (best && haveParted(best, Date.now(), performance.now())) {
    isExact.value = false;
    best = { ...best, wall: Date.now() - (performance.now() - best.at) };
    void synchronise();
  }
  second.value = Math.floor(now() / 1000);
  setTimeout(tick, 1000 - (now() % 1000));
}

/** Once, when the console starts. */
export function startClock(): void {
  tick();
  void synchronise();
  setInterval(() => void synchronise(), 300_000);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void synchronise();
  });
}
