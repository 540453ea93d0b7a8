// Times of versions: RFC 3339 UTC with six digits, so that later ones are greater as texts.

export const stampOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`;

/** The next microsecond. */
export function stampAfter(stamp: string): string {
  const ms = Date.parse(`${stamp.slice(0, 23)}Z`);
  const micros = Number(stamp.slice(23, 26)) + 1;
  const whole = new Date(ms + Math.trunc(micros / 1000)).toISOString().slice(0, -1);
  return `${whole}${String(micros % 1000).padStart(3, '0')}Z`;
}
