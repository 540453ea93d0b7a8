/** A page that was offline or hidden looks at the hub when that ends. Returns the end of it. */
export function watchPage(look: () => void): () => void {
  const page = (globalThis as { document?: Document }).document;
  const end = new AbortController();
  const lookIfSeen = () => { if (page?.visibilityState === 'visible') look(); };
  if (page !== undefined) addEventListener('online', lookIfSeen, end);
  page?.addEventListener('visibilitychange', lookIfSeen, end);
  return () => end.abort();
}
