// The words of the console in the language of the reader. English is part of the first load; another language is a
// module of the type Text that loads when it is chosen.
import { en, type Text } from './en';

export type { Text };

/** Languages beside English, by their tag ("de"). */
export type Languages = Record<string, () => Promise<Text>>;

const languages: Languages = {};

/** The words that are shown. Changes once, before anything is drawn. */
export let t: Text = en;
export let language = 'en';

/** The first of the wanted tags that there are words for: the tag itself, or its language without the region. */
export function choose(wanted: readonly string[], available: readonly string[]): string {
  for (const tag of wanted) {
    const [base = ''] = tag.toLowerCase().split('-');
    if (base === 'en') return 'en';
    const found = [tag.toLowerCase(), base].find((one) => available.includes(one));
    if (found !== undefined) return found;
  }
  return 'en';
}

export async function setLanguage(wanted: readonly string[], from: Languages = languages): Promise<void> {
  language = choose(wanted, Object.keys(from));
  t = language === 'en' ? en : await from[language]!();
  document.documentElement.lang = language;
}
