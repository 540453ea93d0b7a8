// Chromium with the pages of a test server. Without a browser these tests fail: nothing is skipped.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const root = new URL('..', import.meta.url).pathname;

const kPage = `<!doctype html><meta charset="utf-8"><title>test</title>
<script type="importmap">{"imports":{"#internals":"/build/internals.js","@syncline/client":"/dist/index.js","@syncline/client/http":"/dist/http.js"}}</script>`;

/** What a page of the tests loads, for Proxy.pages. */
export function pages() {
  const script = (path) => ({ type: 'text/javascript', text: readFileSync(root + path, 'utf8') });
  return {
    '/page': { type: 'text/html', text: kPage },
    '/build/internals.js': script('build/internals.js'),
    '/dist/index.js': script('dist/index.js'),
    '/dist/conflicts.js': script('dist/conflicts.js'),
    '/dist/http.js': script('dist/http.js'),
    '/test/check.mjs': script('test/cases/check.mjs'),
    '/test/store_cases.mjs': script('test/cases/store_cases.mjs'),
    '/test/local_space_cases.mjs': script('test/cases/local_space_cases.mjs'),
  };
}

const kArguments = ['--no-sandbox', '--disable-dev-shm-usage'];  // CI runs as root in a container

export const launch = () => chromium.launch({ executablePath, args: kArguments });
/** With a profile that outlives the browser. */
export const launchIn = (directory) => chromium.launchPersistentContext(directory, { executablePath, args: kArguments });
