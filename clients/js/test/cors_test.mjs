// A page of another origin, in Chromium: what the hub lets it do, and what the library sees of the answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, pages } from './browser.mjs';
import { Hub, Proxy } from './harness.mjs';

let hub, app, stranger, browser, key;
before(async () => {
  // The servers of the pages; no page asks the hub through them.
  [app, stranger] = [await Proxy.start('http://127.0.0.1:1'), await Proxy.start('http://127.0.0.1:1')];
  app.pages = stranger.pages = pages();
  hub = await Hub.start({ arguments: ['--set', `cors.origins=${app.url}`] });
  key = hub.addKey();
  browser = await launch();
});
after(async () => {
  await browser.close();
  await hub.stop();
  await app.stop();
  await stranger.stop();
});

/** What `run` in a page of that origin returns. */
async function inPageOf(server, run) {
  const page = await browser.newPage();
  try {
    await page.goto(`${server.url}/page`);
    return await page.evaluate(run, [hub.url, key]);
  } finally {
    await page.close();
  }
}

test('a page of an allowed origin writes with preconditions, and reads ETag and X-Request-Id', async () => {
  const result = await inPageOf(app, async ([url, key]) => {
    const { Hub } = await import('@syncline/client/http');
    const hub = new Hub({ url, key });
    const notes = hub.space('cors');
    const first = await notes.put('items', 'a', { n: 1 }, { ifNoneMatch: '*' });
    const second = await notes.put('items', 'a', { n: 2 }, { ifMatch: first.etag });
    const stale = await notes.put('items', 'a', { n: 3 }, { ifMatch: first.etag }).catch((error) => error);
    const deleted = await notes.push([{ collection: 'items', id: 'b', doc: {} }], { idempotencyKey: 'once' });
    await notes.delete('items', 'b', { ifMatch: (await notes.get('items', 'b')).etag });
    const answer = await hub.caller.call({ method: 'GET', path: '/v1/me' });
    const missing = await notes.get('items', 'none').catch((error) => error);
    return {
      etags: [first.etag, second.etag], stale: [stale.name, stale.code], status: deleted.results[0].status,
      requestId: answer.headers.get('X-Request-Id'), errorId: missing.requestId,
      collections: await notes.collections(),
    };
  });
  assert.match(result.etags[0], /^"/);
  assert.notEqual(result.etags[0], result.etags[1]);
  assert.deepEqual(result.stale, ['Conflict', 'precondition_failed']);
  assert.equal(result.status, 'applied');
  assert.ok(result.requestId.length > 0);
  assert.ok(result.errorId.length > 0);
  assert.deepEqual(result.collections, [{ name: 'items', records: 1, bytes: 7 }]);
});

test('a page of an allowed origin follows the event stream', async () => {
  const result = await inPageOf(app, async ([url, key]) => {
    const { Hub } = await import('@syncline/client/http');
    const hub = new Hub({ url, key });
    let open;
    const opened = new Promise((resolve) => { open = resolve; });
    const events = hub.events(['cors-live'], { onOpen: open });
    const first = events.next();
    await opened;
    await hub.space('cors-live').put('items', 'a', {});
    const { value } = await first;
    await events.return();
    return [value.type, value.space];
  });
  assert.deepEqual(result, ['change', 'cors-live']);
});

test('a page of another origin gets no answer, and its write is never sent', async () => {
  const result = await inPageOf(stranger, async ([url, key]) => {
    const { Hub } = await import('@syncline/client/http');
    const hub = new Hub({ url, key, timeoutMs: 500 });
    const failed = [];
    for (const call of [() => hub.me(), () => hub.space('cors').put('items', 'stranger', {})]) {
      failed.push(await call().then(() => 'answered', (error) => error.name));
    }
    return failed;
  });
  for (const name of result) assert.match(name, /^(Unreachable|Timeout)$/);
  const ids = await inPageOf(app, async ([url, key]) => {
    const { Hub } = await import('@syncline/client/http');
    return (await new Hub({ url, key }).space('cors').list('items')).records.map(({ id }) => id);
  });
  assert.ok(!ids.includes('stranger'));
});
