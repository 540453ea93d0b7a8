// Numbers, times and foreign text, as people read them. All times are the hub's (data/clock.ts).
import { language, t } from './index';

const formats = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions, time: Date): string {
  const name = language + JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(language === 'en' ? undefined : language, options));
  return formats.get(name)!.format(time);
}

/** "14:02", by the reader's locale. */
export const clockTime = (ms: number): string => format({ hour: '2-digit', minute: '2-digit' }, new Date(ms));

const dayOf = (ms: number): string => format({ year: 'numeric', month: '2-digit', day: '2-digit' }, new Date(ms));

/** "12 s ago" up to an hour, then "Today 09:12", "Thu 18:02" for a week, then "21 Nov", with the year if it is another. */
export function shortTime(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000);
  const relative = new Intl.RelativeTimeFormat(language, { style: 'narrow', numeric: 'always' });
  if (seconds >= 0 && seconds < 60) return relative.format(-seconds, 'second');
  if (seconds >= 0 && seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute');
  if (dayOf(ms) === dayOf(now)) {
    const today = new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(0, 'day');
    return `${today.charAt(0).toUpperCase()}${today.slice(1)} ${clockTime(ms)}`;
  }
  if (seconds > 0 && seconds < 6 * 86_400) return `${format({ weekday: 'short' }, new Date(ms))} ${clockTime(ms)}`;
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return format({ day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) }, new Date(ms));
}

/** "4:09" of a time that is counted down. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** "12.4 k" above 9,999; the full number belongs into the title and the accessible name. */
export function count(value: number): string {
  if (value <= 9999) return new Intl.NumberFormat(language).format(value);
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
  return compact.replace(/([\d.,]+)\s?([KMB])/, (_, digits: string, unit: string) =>
    `${digits} ${unit === 'K' ? 'k' : unit}`);
}

// What would change how the text around it is shown, or not be seen at all: controls, direction marks, zero width.
const kHidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Text of others, for a text node: what would not be seen is shown by its number. */
export const foreign = (text: string): string =>
  text.replace(kHidden, (c) => t.control(c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')));
