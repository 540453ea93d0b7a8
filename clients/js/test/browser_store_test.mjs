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
    const { IndexedDbStore } = await import('#internals');
    const store = await IndexedDbStore.open('lost');
    let wasLost = false;
    store.onLost = () => { wasLost = true; };
    const other = await IndexedDbStore.open('lost');
    other.close();
    await other.remove();
    const error = await store.read(async () => 1).then(() => undefined, (reason) => reason);
    return [wasLost, error?.code];
  });
  assert.deepEqual(outcome, [true, 'closed']);
});

test('IndexedDB: a store of an older schema is moved forward with what it has, and a step that fails changes nothing', async () => {
  const outcome = await page.evaluate(async () => {
    const { IndexedDbStore, kIndexedDbSteps } = await import('#internals');
    const row = { space: 's', collection: 'c', id: 'a', seq: 1, own: 1, at: '', deleted: false, doc: '{}' };
    const find = async (steps) => {
      const store = await IndexedDbStore.open('older', steps);
      const found = await store.read((tx) => tx.find('s', 'c', 'a'));
      store.close();
      return JSON.stringify(found) === JSON.stringify(row);
    };
    const old = await IndexedDbStore.open('older');
    await old.write(async (tx) => tx.put(row));
    let wasLost = false;
    old.onLost = () => { wasLost = true; };
    let failed = '';
    await IndexedDbStore.open('older', [...kIndexedDbSteps, (database) => {
      database.deleteObjectStore('rows');
      throw new Error('on purpose');
    }]).catch((error) => { failed = error.code; });
    const isKept = await find();
    let steps = 0;
    const newer = [...kIndexedDbSteps, (database, transaction) => {
      ++steps;
      database.createObjectStore('more');
      transaction.objectStore('rows').createIndex('at', ['space', 'at']);
    }];
    const isMoved = await find(newer) && await find(newer);
    const refused = await IndexedDbStore.open('older').catch((error) => error.name);
    return { wasLost, failed, isKept, isMoved, steps, refused, stays: await find(newer) };
  });
  assert.deepEqual(outcome, { wasLost: true, failed: 'store_failed', isKept: true, isMoved: true, steps: 1,
    refused: 'StoreTooNew', stays: true });
});
