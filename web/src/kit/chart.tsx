import { useState } from 'preact/hooks';
import { clockTime, count } from '../text/format';
import { t } from '../text';

export interface Series { label: string; /** Null: no value at that time, and the line has a gap. */ values: readonly (number | null)[] }

interface ChartProps {
  label: string;
  /** The time of the first value, and between two, in milliseconds. */
  startMs: number;
  stepMs: number;
  series: readonly [Series] | readonly [Series, Series];
}

const kWidth = 600;
const kHeight = 120;

/** The path of one line; a value without neighbours is a short stroke. Exported for its test. */
export function pathOf(values: readonly (number | null)[], max: number): string {
  const x = (i: number) => ((i / Math.max(1, values.length - 1)) * kWidth).toFixed(1);
  const y = (value: number) => (kHeight - 4 - (value / Math.max(max, 1e-9)) * (kHeight - 8)).toFixed(1);
  return values.map((value, i) => {
    if (value === null) return '';
    const begins = i === 0 || values[i - 1] === null;
    const isAlone = begins && (i === values.length - 1 || values[i + 1] === null);
    return `${begins ? 'M' : 'L'}${x(i)} ${y(value)}${isAlone ? 'h1' : ''}`;
  }).join('');
}

/** One or two lines over time, differing in colour and dash. Arrow keys read values; the table has them all. */
export function Chart({ label, startMs, stepMs, series }: ChartProps) {
  const length = series[0].values.length;
  const [at, setAt] = useState<number | null>(null);
  const max = Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0)));
  const timeOf = (i: number) => clockTime(startMs + i * stepMs);
  const valuesAt = (i: number) => series.map((one) => `${one.label} ${
    one.values[i] === null || one.values[i] === undefined ? t.chart.noValue : count(one.values[i])}`).join(', ');
  const markX = ((at ?? 0) / Math.max(1, length - 1)) * kWidth;
  const onKeyDown = (event: KeyboardEvent) => {
    const here = at ?? length;
    const next = { ArrowLeft: here - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(Math.min(length - 1, Math.max(0, next)));
  };
  return (
    <figure class="chart stack">
      <figcaption>{label} <span class="muted">{t.chart.keys}</span></figcaption>
      <div role="img" aria-label={label} tabIndex={0} onKeyDown={onKeyDown}>
        <svg viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" aria-hidden="true">
          {series.map((one, i) => <path key={one.label} class={i === 0 ? 'trace' : 'trace second'} d={pathOf(one.values, max)} />)}
          {at !== null && <line class="mark" y1={0} y2={kHeight} x1={markX} x2={markX} />}
        </svg>
      </div>
      <p role="status" class="numbers">{at === null ? '' : t.chart.point(timeOf(at), valuesAt(at))}</p>
      <details>
        <summary>{t.chart.asTable}</summary>
        <table class="table numbers">
          <thead><tr><th scope="col">{t.chart.time}</th>{series.map((one) => <th scope="col" key={one.label}>{one.label}</th>)}</tr></thead>
          <tbody>
            {series[0].values.map((_, i) => (
              <tr key={i}><td>{timeOf(i)}</td>{series.map((one) => <td key={one.label}>{one.values[i] ?? '–'}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
