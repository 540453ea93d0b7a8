// A real hub with a console, and Chromium. What a page reports against its policy, what it asks of others and what it
// logs as an error fails the test that opened it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub, until } from '../../clients/js/test/harness.mjs';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export { until };

export const kEmail = 'ann@example.org';
export const kPassword = 'correct horse';

/** The name of this machine under which browsers have passkeys, and cookies of a host that nobody else uses. */
export const originOf = (hub) => hub.url.replace('127.0.0.1', 'localhost');

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** A hub that people reach at localhost. `isSetUp`: ann is an admin and has a password. */
export async function startHub({ isSetUp = true, settings = [] } = {}) {
  const hub = new Hub();
  hub.directory = mkdtempSync(join(tmpdir(), 'syncline-web-'));
  hub.data = join(hub.directory, 'data');
  hub.listen = `127.0.0.1:${await freePort()}`;
  const all = [`hub.public_url=http://localhost:${hub.listen.split(':')[1]}`, ...settings];
  hub.arguments = all.flatMap((setting) => ['--set', setting]);
  if (isSetUp) {
    hub.cli('account', 'add', kEmail, '--plan', 'pro');
    setPassword(hub, kEmail, kPassword);
  }
  await hub.up();
  return hub;
}

export function setPassword(hub, email, password) {
  const file = join(hub.directory, 'password');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  hub.cli('account', 'password', email, '--password-file', file);
}

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'] });  // CI runs as root in a container

/** What the pages of a context did that they must not do. */
class Faults {
  constructor(origin) {
    this.origin = origin;
    this.found = [];
    /** Statuses of answers that a test provokes; Chromium logs each as an error. */
    this.expected = new Set([401]);  // nobody is signed in at first
    this.isSilent = false;
  }
  watch(page) {
    page.on('console', (message) => {
      const status = /status of (\d+)/.exec(message.text())?.[1];
      if (message.type() !== 'error' || this.expected.has(Number(status))) return;
      if (this.isSilent && /ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|Failed to fetch/.test(message.text())) return;
      this.found.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.found.push(`script: ${error.message}`));
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'data:' && url.origin !== this.origin) this.found.push(`request to ${url.origin}`);
    });
  }
}

/** A browser context of its own: `faults.found` must stay empty. */
export async function openContext(browser, hub, options = {}) {
  const context = await browser.newContext({ baseURL: originOf(hub), viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(20_000);
  const faults = new Faults(originOf(hub));
  await context.exposeFunction('reportViolation', (what) => { faults.found.push(`policy: ${what}`); });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  context.on('page', (page) => faults.watch(page));
  return { context, faults, close: async () => {
    await context.close();
    assert.deepEqual(faults.found, []);
  } };
}

export async function signIn(page, { email = kEmail, password = kPassword } = {}) {
  await page.goto('/console/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Connect' }).waitFor();
}

/** An authenticator in software, as if there were a fingerprint reader. */
export async function addAuthenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal',
    hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
}

/** Everything that scripts of the page can read from its stores. */
export const storedText = (page) => page.evaluate(async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage },
  document.cookie, await indexedDB.databases()]));

const kTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const pictures = process.env.SYNCLINE_SCREENSHOTS;  // a directory to look at them

/** The page as it is now has no fault that axe-core sees, and is not wider than the window. */
export async function look(page, name) {
  if (pictures) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0, `${name} is wider than the window`);
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: 'tag', values: tags } }), kTags);
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 120))]), [], name);
}
