// C1: the first run and signing in. Numbers are those of the acceptance checks in docs/console.md.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addAuthenticator, kEmail, kPassword, launch, look, openContext, originOf, setPassword, signIn, startHub, storedText,
  until } from './harness.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const heading = (page, name) => page.getByRole('heading', { level: 1, name });
const submit = (page) => page.getByRole('button', { name: 'Sign in', exact: true });

async function withHub(options, run) {
  const hub = await startHub(options);
  try {
    await run(hub);
  } finally {
    await hub.stop();
  }
}

test('check 2: a fresh hub leads to set-up, counts wrong codes aloud, and is set up once', () => withHub({ isSetUp: false }, async (hub) => {
  const { context, faults, close } = await openContext(browser, hub);
  faults.expected = new Set([401, 403, 410]);
  const page = await context.newPage();
  const { code, link } = JSON.parse(hub.cli('setup', '--json'));
  assert.equal(link, `${originOf(hub)}/console/setup#${code}`);
  await page.goto('/console');
  await heading(page, 'Set up this hub').waitFor();
  await page.getByLabel('Your e-mail address').fill('owner@example.org');
  await page.getByLabel('Password', { exact: true }).fill(kPassword);
  const tryCode = async (text) => {
    await page.getByLabel('Code from the hub').fill(text);
    await page.getByRole('button', { name: 'Set up', exact: true }).click();
  };
  for (const said of ['4 tries are left', '3 tries are left', '2 tries are left', '1 try is left', 'has printed a new code']) {
    await tryCode('0000-0000');
    await page.getByRole('alert').filter({ hasText: said }).waitFor();
  }
  await tryCode(code);
  await page.getByRole('alert').filter({ hasText: 'wrong code' }).waitFor();
  const newer = JSON.parse(hub.cli('setup', '--json')).code;
  // By the link that the hub prints: the code is filled in, and in no history.
  await page.goto('/console');
  await page.evaluate((text) => { location.href = `/console/setup#${text}`; }, newer);
  await until(async () => !page.url().includes('#'), 'the code to leave the address');
  assert.equal(await page.getByLabel('Code from the hub').inputValue(), newer);
  await page.reload();
  assert.equal(await page.getByLabel('Your e-mail address').inputValue(), 'owner@example.org', 'the draft of before the reload');
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '', 'secrets are kept nowhere');
  await page.getByLabel('Password', { exact: true }).fill(kPassword);
  await tryCode(newer.toLowerCase().replace('-', ' '));
  await page.getByText('you are signed in as owner@example.org').waitFor();
  await look(page, 'setup-passkey');
  assert.equal(await page.evaluate(async (body) => (await fetch('/v1/setup', { method: 'POST',
    headers: { 'Content-Type': 'application/json' }, body })).status,
  JSON.stringify({ code: newer, email: 'x@example.org', password: kPassword })), 410);
  await page.getByRole('button', { name: 'Skip' }).click();
  await look(page, 'setup-phone');
  await page.getByRole('button', { name: 'Open the console' }).click();
  await heading(page, 'Connect').waitFor();
  await page.goto('/console/setup');
  await page.getByText('This hub is set up').waitFor();
  await close();
}));

test('check 3: password, key and passkey open a session that no script can read', () => withHub({}, async (hub) => {
  const { context, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await addAuthenticator(page);
  const isInCookieAlone = async () => {
    const [cookie, ...others] = await context.cookies();
    assert.deepEqual([others.length, cookie.httpOnly, cookie.sameSite], [0, true, 'Strict']);
    const stored = await storedText(page);
    assert.ok(!stored.includes('sl_') && !stored.includes(cookie.value) && !stored.includes(kPassword), stored);
  };
  const leave = async () => {
    await page.getByRole('button', { name: /, menu/ }).last().click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await heading(page, 'Sign in to this hub').waitFor();
    assert.deepEqual(await context.cookies(), []);
  };
  await signIn(page);
  await isInCookieAlone();
  await page.goto('/console/account');
  await page.getByText('No passkeys.').waitFor();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByLabel('Name of the passkey').fill('reader');
  await page.getByRole('dialog').getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('cell', { name: 'reader', exact: true }).waitFor();
  await leave();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await heading(page, 'Connect').waitFor();
  await isInCookieAlone();
  await leave();
  await page.getByRole('button', { name: 'Use a key' }).click();
  await page.getByLabel('Key', { exact: true }).fill(hub.addKey());
  await submit(page).click();
  await heading(page, 'Connect').waitFor();
  await isInCookieAlone();
  await close();
}));

// The hub counts no failures of this machine, so the tries come from another one, by a proxy.
test('check 4: too many wrong passwords wait for a countdown that ends', () => withHub({ settings: ['proxy.trusted=127.0.0.1'] }, async (hub) => {
  const { context, faults, close } = await openContext(browser, hub, { extraHTTPHeaders: { 'X-Forwarded-For': '203.0.113.7' } });
  faults.expected = new Set([401, 429]);
  const page = await context.newPage();
  await page.clock.install();
  await page.goto('/console/sign-in');
  await page.getByLabel('E-mail').fill(kEmail);
  const password = page.getByLabel('Password', { exact: true });
  const wait = page.getByRole('status').filter({ hasText: /You can try again in \d+:\d\d/ });
  for (let tries = 0; tries < 11 && !await wait.isVisible(); ++tries) {
    await password.fill(`wrong ${tries}`);
    const answered = page.waitForResponse((response) => response.url().endsWith('/v1/session') && response.request().method() === 'POST');
    await password.press('Enter');
    await answered;
  }
  await wait.waitFor();
  await look(page, 'sign-in-wait');
  assert.equal(await password.evaluate((node) => node === document.activeElement), true, 'the field keeps the focus');
  assert.equal(await submit(page).getAttribute('aria-disabled'), 'true');
  const shown = () => wait.innerText();
  const before = await shown();
  await until(async () => await shown() !== before, 'the countdown to go on');
  await page.clock.fastForward('20:00');
  await page.getByText('You can try again now.').waitFor();
  assert.equal(await submit(page).getAttribute('aria-disabled'), null);
  await close();
}));

test('check 5: a session that ends under a form is renewed over it, and the form is sent', () => withHub({}, async (hub) => {
  const { context, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await signIn(page);
  await page.getByRole('button', { name: 'Make a key for Kernle' }).click();
  await page.getByLabel('Name of the key').fill('typed before the end');
  const other = await openContext(browser, hub);
  const elsewhere = await other.context.newPage();
  await signIn(elsewhere);
  await elsewhere.goto('/console/account');
  await elsewhere.getByRole('button', { name: 'End all other sessions' }).click();
  await elsewhere.getByRole('dialog').getByRole('button', { name: 'End all other sessions' }).click();
  await elsewhere.getByText('Ended 1 session.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a key for Kernle' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.waitFor();
  await look(page, 'sign-in-again');
  assert.equal(await dialog.getByLabel('E-mail').inputValue(), kEmail);
  assert.equal(await page.getByLabel('Name of the key').inputValue(), 'typed before the end');
  await dialog.getByLabel('Password', { exact: true }).fill(kPassword);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('This is the key').waitFor();
  const keys = await page.evaluate(async () => (await (await fetch('/v1/keys')).json()).keys.map((one) => one.label));
  assert.deepEqual(keys, ['typed before the end'], 'it was sent once, as it was typed');
  await other.close();
  await close();
}));

test('a page of one account sends nothing under the name of another', () => withHub({}, async (hub) => {
  hub.cli('account', 'add', 'bob@example.org', '--plan', 'pro');
  setPassword(hub, 'bob@example.org', kPassword);
  const { context, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await signIn(page);
  await page.getByRole('button', { name: 'Make a key for Kernle' }).click();
  await context.clearCookies();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a key for Kernle' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByLabel('E-mail').fill('bob@example.org');
  await dialog.getByLabel('Password', { exact: true }).fill(kPassword);
  const reloaded = page.waitForEvent('load');
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await reloaded;
  await heading(page, 'Connect').waitFor();
  const labels = await page.evaluate(async () => (await (await fetch('/v1/keys')).json()).keys.map((one) => one.label));
  assert.deepEqual(labels, []);
  await close();
}));

test('check 8: while the hub is away the page says so and blocks what would change it; then it goes on', () => withHub({}, async (hub) => {
  const { context, faults, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await signIn(page);
  await page.evaluate(() => { window.isSamePage = true; });
  faults.isSilent = true;
  await hub.kill('SIGTERM');
  await page.getByText(/The hub has not answered since \d/).first().waitFor({ timeout: 9000 });
  await page.getByText(/Trying again (in \d s|now)/).waitFor();
  await look(page, 'offline');
  const button = page.getByRole('button', { name: 'Make a key for Kernle' });
  assert.equal(await button.getAttribute('aria-disabled'), 'true');
  await button.focus();
  assert.equal(await button.evaluate((node) => node === document.activeElement), true, 'the reason can be reached');
  assert.match(await button.getAttribute('title'), /does not answer/);
  await hub.up();
  await page.getByText('The hub is answering.').waitFor({ timeout: 6000 });
  assert.equal(await button.getAttribute('aria-disabled'), null);
  assert.equal(await page.evaluate(() => window.isSamePage), true, 'nothing was reloaded');
  faults.isSilent = false;
  await close();
}));

test('check 35: signing in and making a key need no pointer', () => withHub({}, async (hub) => {
  const { context, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await page.goto('/console/sign-in');
  await page.getByLabel('E-mail').focus();
  await page.keyboard.type(kEmail);
  await page.keyboard.press('Tab');
  await page.keyboard.type(kPassword);
  await page.keyboard.press('Enter');
  await heading(page, 'Connect').waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  await until(async () => await focused() === 'Connect', 'the focus on the heading');
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await heading(page, 'Account').waitFor();
  await until(async () => await focused() === 'Account', 'the focus on the heading');
  await page.goBack();
  await heading(page, 'Connect').waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  const button = page.getByRole('button', { name: 'Make a key for Kiro' });
  await button.focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Name of the key').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  assert.match(await page.getByLabel('Name of the key').inputValue(), /ga/, 'letters in a field are text');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal(await button.evaluate((node) => node === document.activeElement), true, 'the focus is back');
  await close();
}));

test('the clock of the page is the hub’s, whatever the device’s says', () => withHub({}, async (hub) => {
  const { context, close } = await openContext(browser, hub);
  await context.addInitScript(() => {
    const real = Date;
    const shift = 2 * 3600 * 1000;
    window.Date = class extends real {
      constructor(...parts) { parts.length ? super(...parts) : super(real.now() + shift); }
      static now() { return real.now() + shift; }
    };
  });
  const page = await context.newPage();
  await signIn(page);
  await page.goto('/console/account');
  await page.getByRole('cell', { name: /^(\d+ ?s|\d+ sec\w*\.?) ago$/ }).first().waitFor();
  await close();
}));

test('check 10: a device that enters the code is paired, the desk sees it by itself, and can remove it', () => withHub({}, async (hub) => {
  const { context, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await signIn(page);
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Pair a device' }).click();
  const dialog = page.getByRole('dialog', { name: 'Pair a device' });
  const shown = await dialog.getByText(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/).innerText();
  await look(page, 'pairing');
  const picture = dialog.getByRole('img', { name: 'QR code' });
  assert.ok(await picture.evaluate((node) => node.complete && node.naturalWidth > 0), 'the QR code is drawn');
  const phone = await browser.newContext({ baseURL: originOf(hub), viewport: { width: 390, height: 844 }, hasTouch: true });
  const claim = async () => {
    const tab = await phone.newPage();
    await tab.goto(`/m/pair#${shown}`);
    await tab.getByLabel('Name of this device').fill('Pixel');
    await tab.getByRole('button', { name: 'Pair' }).click();
    return tab;
  };
  await (await claim()).getByText('This device is paired').waitFor();
  await dialog.getByText('Pixel is paired.').waitFor();
  await (await claim()).getByText(/used|expired/).first().waitFor();
  await dialog.getByRole('button', { name: 'Remove it' }).click();
  await page.getByText('Removed Pixel.').waitFor();
  const status = await (await phone.newPage()).request.get('/v1/session');
  assert.equal(status.status(), 401, 'the removed device is signed out');
  await phone.close();
  await page.route('**/v1/pairings/*', (route) => route.fulfill({ json: { state: 'expired', expires_at: '2026-01-01T00:00:00Z' } }));
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Pair a device' }).click();
  await dialog.getByText('The code has expired.').waitFor();
  await page.unrouteAll();
  await dialog.getByRole('button', { name: 'New code' }).click();
  assert.notEqual(await dialog.getByText(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/).innerText(), shown);
  await close();
}));
