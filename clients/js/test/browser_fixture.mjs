// A hub, a proxy before it that also serves the test's pages, and Chromium: tabs with the local copy open in them.
import { readdirSync, readFileSync } from 'node:fs';
import { Hub as Caller } from '../dist/http.js';
import { launch, pages } from './browser.mjs';
import { Hub, Proxy } from './harness.mjs';

export class BrowserFixture {
  #number = 0;
  /** What is to be closed at the end. */
  contexts = [];

  static async start() {
    const fixture = new BrowserFixture();
    fixture.hub = await Hub.start();
    fixture.proxy = await Proxy.start(fixture.hub.url);
    fixture.proxy.pages = pages();
    fixture.key = fixture.hub.addKey();
    fixture.admin = new Caller({ url: fixture.hub.url, key: fixture.key });
    fixture.browser = await launch();
    return fixture;
  }
  async stop() {
    for (const context of this.contexts) await context.close().catch(() => undefined);  // some were killed
    await this.browser.close();
    await this.proxy.stop();
    await this.hub.stop();
  }
  /** Before each test: no faults, and a space of its own. */
  reset() {
    this.proxy.rule = () => undefined;
    this.proxy.requests = [];
    ++this.#number;
  }
  get space() {
    return `browser${this.#number}`;
  }

  /** A tab with the copy open as `db`, and its collection as `items`. */
  async tab(context, options = {}) {
    const page = await context.newPage();
    await page.goto(`${this.proxy.url}/page`);
    await this.openIn(page, options);
    return page;
  }
  async openIn(page, options = {}) {
    await page.evaluate(async ([url, key, space, options]) => {
      const { open } = await import('@syncline/client');
      window.events = [];
      window.db = await open({ name: space, url, key, spaces: [space], sync: { windowMs: 0 }, ...options });
      for (const name of ['reauth', 'error', 'closed']) db.on(name, (event) => events.push([name, String(event)]));
      window.items = db.space(space).collection('items');
      window.until = async (condition) => {
        const end = Date.now() + 20_000;
        while (!await condition()) {
          if (Date.now() > end) throw new Error(`${condition} did not come; ${JSON.stringify(db.status.get())}`);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
    }, [this.proxy.url, this.key, this.space, options]);
  }
  async hubDocs(collection = 'items') {
    const docs = {};
    for (let after; after !== null; ) {
      const page = await this.admin.space(this.space).list(collection, { limit: 5000, ...(after ? { after } : {}) });
      for (const one of page.records) docs[one.id] = one.doc;
      after = page.after;
    }
    return docs;
  }
  /** How many versions of the record the hub has stored. */
  async versionCount(id, collection = 'items') {
    return (await this.admin.space(this.space).history(collection, id)).length;
  }
}

/** The process of the browser with that profile, which only one has. */
export function browserOf(directory) {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    let line = '';
    try {
      line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
    } catch {
      continue;  // it has ended meanwhile
    }
    const parts = line.split(/[\0 ]/);
    const isMain = parts[0].includes('chrom') && !parts.some((part) => part.startsWith('--type='));
    if (isMain && parts.includes(`--user-data-dir=${directory}`)) return Number(name);
  }
  throw new Error(`no browser with the profile ${directory}`);
}
