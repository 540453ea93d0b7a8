// The address is the state of the console: which screen, and what of it. Links work, back works, every row can have one.
import { computed, signal } from '@preact/signals';

export const kBase = '/console';

interface Address { path: string; query: URLSearchParams }

const read = (): Address => ({ path: `/${location.pathname.slice(kBase.length).replace(/^\/+|\/+$/g, '')}`,
  query: new URLSearchParams(location.search) });

/** The path below the console, like "/account", and the query. */
export const address = signal<Address>(read());
export const path = computed(() => address.value.path);

/** `to`: below the console. `replace`: without an entry to go back to, as for a filter that is being typed. */
export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', hrefOf(to));
  address.value = read();
  if (how === 'push') scrollTo(0, 0);
}

export const hrefOf = (to: string): string => kBase + (to === '/' ? '/' : to);

/** Whether a host name means this machine, which no other device reaches by it. */
export const isLocal = (host: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(host);

/** Links of the console change the address without loading the page; the others are the browser's. */
function followLink(event: MouseEvent): void {
  const link = (event.target as Element).closest?.('a');
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  const isOurs = url.origin === location.origin && (url.pathname === kBase || url.pathname.startsWith(`${kBase}/`));
  if (!isOurs || link.target || link.hasAttribute('download') || url.pathname.startsWith(`${kBase}/a/`)) return;
  event.preventDefault();
  if (url.hash && url.pathname === location.pathname) {
    document.getElementById(url.hash.slice(1))?.focus();
    return;
  }
  navigate(url.pathname.slice(kBase.length) + url.search || '/');
}

/** Once, when the console starts. */
export function startRouter(): void {
  addEventListener('popstate', () => { address.value = read(); });
  document.addEventListener('click', followLink);
}
