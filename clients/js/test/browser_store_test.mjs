// The suite of the stores with IndexedDB in Chromium, and what only IndexedDB can do wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, pages } from './browser.mjs';
import { localSpaceCases } from './cases/local_space_cases.mjs';
import { storeCases } from './cases/store_cases.mjs';
import { Proxy } from './harness.mjs';

let server, browser, page;
before(async () => {
  server = await Proxy.start('http://127.0.0.1:9');
  server.pages = pages();
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`${server.url}/page`);
});
after(async () => {
  await browser.close();
  await server.stop();
});

for (const [file, list, cases] of [
  ['store_cases', 'storeCases', storeCases], ['local_space_cases', 'localSpaceCases', localSpaceCases]]) {
  for (const name of Object.keys(cases)) {
    test(`IndexedDB: ${name}`, async () => {
      await page.evaluate(async ([file, list, name]) => {
        const { IndexedDbStore } = await import('#internals');
        const module = await import(`/test/${file}.mjs`);
        let number = 0;
        await module[list][name](() => IndexedDbStore.open(`${name} ${++number}`));
      }, [file, list, name]);
    });
  }
}

test('IndexedDB: a store of a newer version of the library is refused and left as it is', async () => {
  const outcome = await page.evaluate(async () => {
    const { IndexedDbStore } = await import('#internals');
    const newer = await new Promise((resolve, reject) => {
      const request = indexedDB.open('newer', 99);
      request.onupgradeneeded = () => request.result.createObjectStore('theirs').put('kept', 'key');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const error = await IndexedDbStore.open('newer').then(() => undefined, (reason) => reason);
    const kept = await new Promise((resolve) => {
      const request = newer.transaction('theirs').objectStore('theirs').get('key');
      request.onsuccess = () => resolve(request.result);
    });
    newer.close();
    return [error?.name, kept];
  });
  assert.deepEqual(outcome, ['StoreTooNew', 'kept']);
});

test('IndexedDB: what another tab deletes is lost here, and says so', async () => {
  const outcome = await page.evaluate(async () => {
    const { deleteDatabase, IndexedDbStore } = await import('#internals');
    const store = await IndexedDbStore.open('lost');
    let wasLost = false;
    store.onLost = () => { wasLost = true; };
    await deleteDatabase('lost');
    const error = await store.read(async () => 1).then(() => undefined, (reason) => reason);
    return [wasLost, error?.code];
  });
  assert.deepEqual(outcome, [true, 'closed']);
});
