import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const kKey = 'syncline.theme';

function stored(): Theme {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export const theme = signal<Theme>(stored());

/** Kept in this browser. src/theme.js applies it before the next first paint. */
export function setTheme(chosen: Theme): void {
  theme.value = chosen;
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    if (chosen === 'system') localStorage.removeItem(kKey);
    else localStorage.setItem(kKey, chosen);
  } catch {
    // without storage it holds until the page is closed
  }
}
