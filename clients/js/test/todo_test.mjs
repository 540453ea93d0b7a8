// examples/todo in Chromium, by the keyboard alone, with the network off where it says so.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { BrowserFixture } from './browser_fixture.mjs';
import { until } from './harness.mjs';

const root = new URL('..', import.meta.url).pathname;
let fixture, hub, proxy, browser;
before(async () => {
  fixture = await BrowserFixture.start();
  ({ hub, proxy, browser } = fixture);
  const file = (path, type) => ({ type, text: readFileSync(root + path, 'utf8') });
  Object.assign(proxy.pages, {
    '/todo/': file('examples/todo/index.html', 'text/html'),
    '/todo/todo.js': file('examples/todo/todo.js', 'text/javascript'),
    '/todo/syncline/index.js': file('dist/index.js', 'text/javascript'),
    '/todo/syncline/conflicts.js': file('dist/conflicts.js', 'text/javascript'),
  });
});
after(() => fixture.stop());
beforeEach(() => fixture.reset());

/** Presses Tab until that element has the focus. */
async function tabTo(page, selector) {
  const isThere = () => page.evaluate((selector) => document.activeElement?.matches(selector), selector);
  for (let presses = 0; !await isThere(); ++presses) {
    assert.ok(presses < 60, `no way by Tab to ${selector}`);
    await page.keyboard.press('Tab');
  }
}
async function press(page, selector, key = 'Enter') {
  await tabTo(page, selector);
  await page.keyboard.press(key);
}
async function type(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}
const texts = (page) => page.evaluate(() => [...document.querySelectorAll('.item textarea')].map((one) => one.value));
const shows = (page, selector, text) => until(async () => {
  const found = page.locator(selector);
  return await found.count() > 0 && await found.first().isVisible() && (await found.first().innerText()).includes(text);
}, `“${text}” in ${selector}`);
const listed = (page, ...wanted) => until(async () => (await texts(page)).join() === wanted.join(), `the list ${wanted}`);

/** A device with that key, connected by the keyboard. */
async function device(key) {
  const context = await browser.newContext();
  fixture.contexts.push(context);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.faults = faults;
  await page.goto(`${proxy.url}/todo/`);
  await tabTo(page, '#url');
  assert.equal(await page.inputValue('#url'), proxy.url);
  await type(page, '#key', key);
  await shows(page, '#status', 'Synced');
  return { context, page };
}
const addAccount = (name) => {
  const account = `${name}@example.org`;
  hub.cli('account', 'add', account, '--plan', 'pro');
  return account;
};
const addKey = (account) => JSON.parse(hub.cli('key', 'add', '--account', account, '--label', 'test', '--scopes',
  'read,write,keys', '--json')).key;
/** From the second visit the page needs no network. */
const isKept = (page) => page.evaluate(async () => {
  await navigator.serviceWorker.ready;
  return (await caches.match(location.href)) !== undefined;
});

test('check 28: edited offline, reloaded offline, and on the other device within 2 s of going online', async (t) => {
  const account = addAccount('check28');
  const { context, page } = await device(addKey(account));
  const { page: other } = await device(addKey(account));
  await type(page, '#text', 'Milk');
  await listed(other, 'Milk');
  await until(() => isKept(page), 'the kept files');

  await context.setOffline(true);
  const before = proxy.count('POST', '/push');
  await page.reload();
  await listed(page, 'Milk');
  await type(page, '#text', 'Bread');
  await listed(page, 'Bread', 'Milk');
  await press(page, '.item:nth-child(2) input', 'Space');
  await type(page, '.item:nth-child(2) textarea', 'Oat milk');
  await shows(page, '#status', '2 changes to send');
  await page.reload();
  await listed(page, 'Bread', 'Oat milk');
  assert.equal(await page.isChecked('.item:nth-child(2) input'), true);
  await shows(page, '#status', '2 changes to send');
  await press(page, '#queue-title');
  await shows(page, '#queue', '“Bread”');
  await shows(page, '#queue-text', 'Safe on this device');
  assert.deepEqual(await texts(other), ['Milk']);
  assert.equal(proxy.count('POST', '/push'), before, 'nothing has reached the hub');

  const began = Date.now();
  await context.setOffline(false);
  await listed(other, 'Bread', 'Oat milk');
  const tookMs = Date.now() - began;
  t.diagnostic(`on the other device after ${tookMs} ms`);
  assert.ok(tookMs < 2000, `${tookMs} ms`);
  await shows(page, '#status', 'Synced');
  await shows(page, '#queue-title', 'Nothing waits');
  assert.deepEqual([page.faults, other.faults], [[], []]);
});

test('the to-do list shows both versions of a conflict, and either can be chosen', async () => {
  const account = addAccount('conflict');
  const { context, page } = await device(addKey(account));
  const { page: other } = await device(addKey(account));
  await type(page, '#text', 'Milk');
  await listed(other, 'Milk');
  for (const choice of ['restore', 'dismiss']) {
    await context.setOffline(true);
    await type(page, '.item textarea', `Mine, ${choice}`);
    await shows(page, '#status', '1 change to send');
    await type(other, '.item textarea', `Theirs, ${choice}`);
    await shows(other, '#status', 'Synced');
    await context.setOffline(false);
    await shows(page, '.conflict', `Mine, ${choice}`);
    await shows(page, '.conflict', `Theirs, ${choice}`);
    await listed(page, `Theirs, ${choice}`);
    await press(page, `.conflict button:nth-child(${choice === 'restore' ? 2 : 1})`);
    await until(async () => await page.locator('.conflict').count() === 0, 'the end of the conflict');
    assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'BODY', 'the focus is somewhere');
    for (const one of [page, other]) await listed(one, choice === 'restore' ? `Mine, ${choice}` : `Theirs, ${choice}`);
  }
  assert.deepEqual(page.faults, []);
});

test('the to-do list says what to do about a lost key, and keeps the queue meanwhile', async () => {
  const account = addAccount('lost');
  const lost = addKey(account);
  const { page } = await device(lost);
  await type(page, '#text', 'Milk');
  await until(() => proxy.count('POST', '/push') > 0, 'the push');
  await shows(page, '#status', 'Synced');
  const [{ id }] = (await fetch(`${hub.url}/v1/keys`, { headers: { Authorization: `Bearer ${lost}` } })
    .then((answer) => answer.json())).keys;
  hub.cli('key', 'revoke', id);
  await type(page, '#text', 'Bread');
  await shows(page, '#reauth', '1 change that the hub does not have');
  await shows(page, '#status', 'Needs a key');
  await type(page, '#another-key', 'nonsense');
  await shows(page, '#new-key-error', 'does not accept that key either');
  await type(page, '#another-key', addKey(addAccount('somebody')));
  await shows(page, '#new-key-error', 'belongs to lost@example.org');
  await page.reload();
  await shows(page, '#reauth', '1 change that the hub does not have');
  const key = addKey(account);
  await type(page, '#another-key', key);
  await shows(page, '#status', 'Synced');
  assert.equal(await page.isVisible('#reauth'), false);
  await page.reload();
  await shows(page, '#status', 'Synced');
  await listed(page, 'Bread', 'Milk');
  assert.deepEqual(page.faults, []);
});

test('the to-do list shows what the hub refuses; a deletion can be undone; leaving asks first', async () => {
  const account = addAccount('queue');
  const { page } = await device(addKey(account));
  await type(page, '#text', 'Milk');
  await until(() => proxy.count('POST', '/push') > 0, 'the push');
  await shows(page, '#status', 'Synced');
  proxy.rule = ({ method, path, body }) => {
    if (method !== 'POST' || !path.includes('/push')) return undefined;
    const { ops, known } = JSON.parse(body);
    const results = ops.map(() => ({ status: 'refused', error: { code: 'too_bad', detail: 'not on a Monday' } }));
    return { status: 200, body: JSON.stringify({ cursor: known, results }) };
  };
  await type(page, '#text', 'Bread');
  await press(page, '#queue-title');
  await shows(page, '#queue', 'not on a Monday');
  await press(page, '#sign-out');
  await shows(page, '#leave-text', '1 change');
  await page.keyboard.press('Escape');
  await listed(page, 'Bread', 'Milk');
  await press(page, '#queue button:nth-child(2)');
  await listed(page, 'Milk');
  proxy.rule = () => undefined;

  await press(page, '.item button');
  await listed(page);
  await press(page, '#undo-button');
  await listed(page, 'Milk');
  await shows(page, '#status', 'Synced');
  await press(page, '#sign-out');
  await shows(page, '#leave-text', 'Everything is at the hub');
  await press(page, '#leave button:nth-child(2)');
  await shows(page, '#welcome', 'Connect this device');
  assert.deepEqual(await page.evaluate(() => indexedDB.databases().then((list) => list.length)), 0);
  assert.deepEqual(page.faults, []);
});

test('every control of the to-do list has a name, a place in the order of Tab, and shows the focus', async () => {
  const account = addAccount('keyboard');
  const { page } = await device(addKey(account));
  await type(page, '#text', 'Milk');
  await type(page, '#text', 'Bread');
  await listed(page, 'Bread', 'Milk');
  await press(page, '.item input', 'Space');
  await until(() => page.isVisible('#clear'));
  const controls = await page.evaluate(() => [...document.querySelectorAll('button, input, textarea, summary, a')]
    .filter((one) => one.checkVisibility()).map((one, i) => (one.dataset.control = String(i))));
  const reached = new Set();
  for (let i = 0; i < controls.length + 2; ++i) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const one = document.activeElement;
      return { control: one.dataset.control, outline: getComputedStyle(one).outlineStyle, tag: one.outerHTML.slice(0, 80) };
    });
    if (focus.control === undefined) continue;  // the browser's own
    reached.add(focus.control);
    assert.notEqual(focus.outline, 'none', focus.tag);
  }
  assert.deepEqual([...reached].sort(), [...controls].sort());
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('[data-control]')].filter((one) =>
    !(one.ariaLabel || one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML));
  assert.deepEqual(unnamed, []);
});
