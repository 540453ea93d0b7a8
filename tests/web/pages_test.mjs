// Every screen in both themes and two widths: accessibility (axe-core), policy reports, requests, size; and the kit.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, look, openContext, originOf, signIn, startHub } from './harness.mjs';

const kFirstLoadBytesMax = 60_000;
const kScreenBytesMax = 12_000;
const kAllBytesMax = 600_000;

let hub, fresh, browser;
before(async () => {
  [hub, fresh] = await Promise.all([startHub(), startHub({ isSetUp: false })]);
  browser = await launch();
});
after(async () => {
  await browser.close();
  await Promise.all([hub.stop(), fresh.stop()]);
});

const dialogOf = (page) => page.getByRole('dialog');

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1280]) {
    test(`checks 36 and 37: every screen, ${colorScheme}, ${width} px`, async () => {
      const options = { colorScheme, viewport: { width, height: 800 } };
      const at = (name) => `${name}-${colorScheme}-${width}`;
      const first = await openContext(browser, fresh, options);
      first.faults.expected = new Set([401, 403]);
      const setup = await first.context.newPage();
      await setup.goto('/console/setup');
      await setup.getByLabel('Code from the hub').fill('12');
      await setup.getByLabel('Address of this hub').fill('http://hub.example.org');
      await setup.getByRole('button', { name: 'Set up', exact: true }).click();
      await setup.getByText('The code has 8 characters').waitFor();
      await look(setup, at('setup'));
      await first.close();

      const { context, faults, close } = await openContext(browser, hub, options);
      faults.expected = new Set([401, 404]);
      const page = await context.newPage();
      await page.goto('/console/sign-in');
      await page.getByLabel('E-mail').fill('ann@example.org');
      await page.getByLabel('Password', { exact: true }).fill('wrong');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByText('The e-mail address or the password is wrong.').waitFor();
      await look(page, at('sign-in'));
      await signIn(page);
      await look(page, at('connect'));
      await page.getByRole('button', { name: 'Make a key for Kaisho' }).click();
      await look(page, at('connect-dialog'));
      await dialogOf(page).getByRole('button', { name: 'Make a key for Kaisho' }).click();
      await page.getByRole('status').filter({ hasText: 'It is shown only now.' }).waitFor();
      await look(page, at('connect-key'));
      await page.goto('/console/account');
      await page.getByText('this one').waitFor();
      await look(page, at('account'));
      await page.getByRole('button', { name: 'End all other sessions' }).click();
      await look(page, at('account-dialog'));
      await page.keyboard.press('Escape');
      if (width < 900) {
        await page.getByRole('button', { name: 'Console' }).click();
        await look(page, at('navigation'));
        await page.keyboard.press('Escape');
      }
      await page.keyboard.press('?');
      await dialogOf(page).waitFor();
      await look(page, at('keyboard'));
      await page.goto('/console/nothing-here');
      await page.getByText('There is no such page').waitFor();
      await look(page, at('not-found'));
      await page.goto('/console/kit');
      await page.getByRole('heading', { level: 1, name: 'Components' }).waitFor();
      await look(page, at('kit'));
      await page.getByRole('button', { name: 'Open a sheet' }).click();
      await look(page, at('kit-sheet'));
      await close();
    });
  }
}

test('check 38: what the first load and each screen weigh', async () => {
  const context = await browser.newContext({ baseURL: originOf(hub) });
  const page = await context.newPage();
  const loaded = new Map();
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.startsWith('/console')) loaded.set(response.url(), response);
  });
  const weigh = async () => {
    let sum = 0;
    for (const response of loaded.values()) {
      assert.equal(response.headers()['content-encoding'] ?? 'br', 'br', response.url());
      sum += Number(response.headers()['content-length']);
    }
    loaded.clear();
    return sum;
  };
  await signIn(page);
  const first = await weigh();
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByText('this one').waitFor();
  const account = await weigh();
  await page.goto('/console/kit');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const [index] = readFileSync(process.env.SYNCLINE_CONSOLE_PACK, 'latin1').split('\n\n');
  const files = index.split('\n').slice(1).map((line) => line.split('\t'));
  const all = files.reduce((sum, [, , bytes, , brotli]) => sum + (Number(brotli) || Number(bytes)), 0);
  console.log(`first load ${first} bytes, account ${account}, all ${all}`);
  for (const [path, , bytes, gzip, brotli] of files) console.log(`${brotli.padStart(8)}${gzip.padStart(8)}${bytes.padStart(8)}  ${path}`);
  assert.ok(first > 0 && first <= kFirstLoadBytesMax, `${first}`);
  assert.ok(account > 0 && account <= kScreenBytesMax, `${account}`);
  assert.ok(all <= kAllBytesMax, `${all}`);
  await context.close();
});

test('a style or script that is not the console’s does not run', async () => {
  const context = await browser.newContext({ baseURL: originOf(hub) });
  const page = await context.newPage();
  await page.goto('/console/kit');
  const outcome = await page.evaluate(async () => {
    const violations = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));
    const script = document.createElement('script');
    script.append('window.ran = true');
    document.head.append(script);
    let trusted = 'ran';
    try {
      document.createElement('div').innerHTML = '<b>x</b>';
    } catch (error) {
      trusted = error.name;
    }
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    return { ran: window.ran, trusted, violations: violations.length };
  });
  assert.deepEqual([outcome.ran, outcome.trusted], [undefined, 'TypeError']);
  assert.ok(outcome.violations >= 2);
  await context.close();
});

test('check 12, the grid: the keyboard reaches every one of 12,000 rows, and few are in the document', async () => {
  const { context, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await page.goto('/console/kit');
  const grid = page.getByRole('grid');
  const focused = () => page.evaluate(() => [document.activeElement.textContent,
    document.activeElement.closest('[role=row]')?.getAttribute('aria-rowindex')]);
  const until = async (expected) => {
    for (let tries = 0; tries < 100; ++tries) {
      if (JSON.stringify(await focused()) === JSON.stringify(expected)) return;
      await page.waitForTimeout(20);
    }
    assert.deepEqual(await focused(), expected);
  };
  await grid.getByRole('columnheader', { name: 'Number' }).focus();
  await page.keyboard.press('ArrowDown');
  await until(['0', '2']);
  await page.keyboard.press('Control+End');
  await until(['current', '12001']);
  await page.keyboard.press('Home');
  await until(['11999', '12001']);
  await page.keyboard.press('Control+Home');
  await until(['0', '2']);
  const page1 = Number((await focused())[1]);
  for (let i = 0; i < 20; ++i) await page.keyboard.press('PageDown');
  const [, row] = await focused();
  assert.ok(Number(row) > page1 + 100);
  assert.equal(await grid.getAttribute('aria-rowcount'), '12001');
  assert.ok(await grid.getByRole('row').count() <= 200);
  await page.keyboard.press(' ');
  assert.equal(await grid.locator('[aria-selected=true]').count(), 1);
  await close();
});

test('the kit by keyboard: combobox, menu, tabs, switch, chart, and an undo that waits', async () => {
  const { context, close } = await openContext(browser, hub);
  const page = await context.newPage();
  await page.goto('/console/kit');
  const combobox = page.getByRole('combobox', { name: 'Many choices' });
  await combobox.fill('zuri');
  await page.getByRole('listbox', { name: 'Many choices' }).getByRole('option', { name: 'Zürich' }).waitFor();
  await combobox.press('Enter');
  assert.equal(await combobox.inputValue(), 'Zürich');
  await combobox.fill('no such place');
  await combobox.press('Escape');
  assert.equal(await combobox.inputValue(), 'Zürich', 'what is no choice is not taken');
  await page.getByRole('button', { name: 'Actions, menu' }).press('Enter');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('status').filter({ hasText: 'Second' }).waitFor();
  await page.getByRole('tab', { name: 'First' }).press('ArrowRight');
  await page.getByRole('tabpanel').filter({ hasText: 'The second view' }).waitFor();
  await page.getByRole('switch', { name: 'Works' }).press(' ');
  assert.equal(await page.getByRole('switch', { name: 'Works' }).getAttribute('aria-checked'), 'false');
  await page.getByRole('img', { name: 'Changes a minute' }).press('Home');
  await page.getByRole('status').filter({ hasText: 'changes 1, errors 0' }).waitFor();
  await page.getByRole('button', { name: 'Delete something' }).press('Enter');
  await page.getByRole('button', { name: 'Undo' }).focus();
  await page.waitForTimeout(11_000);
  await page.getByRole('button', { name: 'Undo' }).press('Enter');
  await page.getByRole('status').filter({ hasText: 'Undone' }).waitFor();
  await page.getByRole('button', { name: 'Delete something' }).press('Enter');
  await page.getByText('Deleted Call Acme.').waitFor();
  await page.getByText('Deleted Call Acme.').waitFor({ state: 'detached', timeout: 12_000 });
  await close();
});
