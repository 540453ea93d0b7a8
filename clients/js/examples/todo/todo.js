// A to-do list that needs no network. This one script is the page, and the service worker that keeps the page's files.
'use strict';

/** What the page is made of; `./` is index.html. */
const kFiles = ['./', 'todo.js', 'syncline/index.js', 'syncline/conflicts.js'];

if (typeof ServiceWorkerGlobalScope === 'function') keepFiles();
else showList();

// The service worker: answers with the kept files at once, and keeps newer ones for the next visit.

function keepFiles() {
  const kCache = 'todo-files';
  const urls = kFiles.map((file) => new URL(file, registration.scope).href);

  async function fetchAndKeep(url) {
    const response = await fetch(url, { cache: 'no-cache' });
    if (response.ok) await (await caches.open(kCache)).put(url, response.clone());
    return response;
  }

  addEventListener('install', (event) => event.waitUntil(Promise.all(urls.map(fetchAndKeep)).then(() => skipWaiting())));
  addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  addEventListener('fetch', (event) => {
    const url = event.request.url.replace(/[?#].*/, '');
    // Calls of the hub go where they would go without a service worker.
    if (event.request.method !== 'GET' || !urls.includes(url)) return;
    const fresh = fetchAndKeep(url);
    event.waitUntil(fresh.catch(() => undefined));
    event.respondWith(caches.match(url).then((kept) => kept ?? fresh));
  });
}

// The page.

async function showList() {
  const kSpace = 'todo';
  const kHub = 'todo-hub';
  const $ = (id) => document.getElementById(id);
  const show = (id, isShown) => { $(id).hidden = !isShown; };
  const changes = (count) => (count === 1 ? '1 change' : `${count} changes`);
  const time = (ms) => new Date(ms).toLocaleTimeString();

  /** `tag` with properties and children; a class is enough to find it. */
  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }
  function showError(error) {
    $('error').textContent = `Something went wrong: ${error.detail ?? error.message ?? error}`;
    show('error', true);
  }
  /** What a person does may fail, for example when no room is left. */
  const attempt = (work) => Promise.resolve().then(work).then(() => show('error', false), showError);

  navigator.serviceWorker?.register('todo.js').catch(showError);

  // Which hub. `{}`: none yet.
  const readHub = () => JSON.parse(localStorage.getItem(kHub));
  const keepHub = (hub) => localStorage.setItem(kHub, JSON.stringify(hub));
  let hub = readHub();
  const isFirstVisit = hub === null;
  if (isFirstVisit) {
    $('url').value = location.origin;
    show('welcome', true);
    await new Promise(bindWelcome);
  }

  const { open } = await import('@syncline/client');
  const db = await open({ name: 'todo', spaces: [kSpace], indexes: { items: ['created'] }, ...hub });
  const items = db.space(kSpace).collection('items');
  const entries = new Map();  // the elements of each entry, by its id
  const texts = new Map();    // what an entry said last, for the queue's deletions
  let waiting = new Set();
  let queue = '';             // what the queue shows

  show('welcome', false);
  show('app', true);
  show('status', true);
  bindApp();
  items.watch({ order: 'created', descending: true }, showItems);
  db.status.watch(showStatus);
  db.on('conflict', showConflicts);
  db.on('error', showError);
  db.on('closed', () => location.reload());
  if (isFirstVisit) $('text').focus();

  function bindWelcome(done) {
    $('connect').addEventListener('submit', (event) => {
      event.preventDefault();
      keepHub(hub = { url: $('url').value, key: $('key').value });
      done();
    });
    $('without').addEventListener('click', () => {
      keepHub(hub = {});
      done();
    });
  }

  // The list.

  function showItems(list) {
    for (const [id, entry] of entries) {
      if (list.some((item) => item.id === id)) continue;
      entry.row.remove();
      entries.delete(id);
    }
    list.forEach((item, place) => {
      const entry = entries.get(item.id) ?? makeEntry(item.id);
      const { row, box, text } = entry;
      const { doc } = item;
      // What somebody is typing stays.
      if (text.value === entry.doc?.text || document.activeElement !== text) text.value = doc.text;
      entry.doc = doc;
      texts.set(item.id, doc.text);
      box.checked = doc.done;
      box.ariaLabel = `Done: ${doc.text}`;
      text.ariaLabel = `Text of ${doc.text}`;
      entry.remove.ariaLabel = `Delete ${doc.text}`;
      row.classList.toggle('done', doc.done);
      if ($('items').children[place] !== row) $('items').insertBefore(row, $('items').children[place] ?? null);
    });
    show('empty', list.length === 0);
    show('clear', list.some((item) => item.doc.done));
    markWaiting();
  }

  function makeEntry(id) {
    const box = make('input', { type: 'checkbox' });
    const text = make('textarea', { rows: 1, maxLength: 500, spellcheck: true });
    const waits = make('span', { className: 'waits', textContent: 'waits', hidden: true });
    const remove = make('button', { className: 'icon', type: 'button' });
    remove.innerHTML = '<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><path d="M4 4l10 10M14 4L4 14" ' +
      'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/></svg>';
    const entry = { row: make('li', { className: 'item' }, box, text, waits, remove), box, text, waits, remove, doc: undefined };
    entries.set(id, entry);

    const change = (more) => attempt(() => items.patch(id, (old) => old && { ...old, ...more }));
    const keepText = () => {
      const typed = text.value.trim();
      if (typed === '') text.value = entry.doc.text;
      else if (typed !== entry.doc.text) change({ text: typed });
    };
    box.addEventListener('change', () => change({ done: box.checked }));
    text.addEventListener('change', keepText);
    text.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') text.value = entry.doc.text;
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      keepText();
    });
    remove.addEventListener('click', () => {
      // Whoever works with the keyboard goes on with the next entry.
      const next = entry.row.nextElementSibling ?? entry.row.previousElementSibling;
      (next?.querySelector('button') ?? $('text')).focus();
      removeItems([id]);
    });
    return entry;
  }

  function removeItems(ids) {
    const removed = ids.map((id) => [id, entries.get(id).doc]);
    attempt(async () => {
      for (const [id] of removed) await items.delete(id);
      $('undo-text').textContent = removed.length === 1 ? `Deleted “${removed[0][1].text}”.` : `Deleted ${removed.length} entries.`;
      show('undo', true);
      $('undo-button').onclick = () => attempt(async () => {
        for (const [id, doc] of removed) await items.put(id, doc);
        show('undo', false);
        $('text').focus();
      });
    });
  }

  function bindApp() {
    $('add').addEventListener('submit', (event) => {
      event.preventDefault();
      const text = $('text').value.trim();
      if (text === '') return;
      show('undo', false);
      attempt(async () => {
        await items.put(crypto.randomUUID(), { text, done: false, created: Date.now() });
        $('text').value = '';
      });
    });
    $('clear').addEventListener('click', () => {
      removeItems([...entries].filter(([, { doc }]) => doc.done).map(([id]) => id));
      $('text').focus();
    });
    $('new-key').addEventListener('submit', (event) => {
      event.preventDefault();
      useKey($('another-key').value);
    });
    $('connect-later').addEventListener('click', () => {
      localStorage.removeItem(kHub);  // the list stays, and is offered to the hub
      location.reload();
    });
    $('sign-out').addEventListener('click', leave);
  }

  // Sync.

  function showStatus(status) {
    const { state, reason, pending, refused, nextTry } = status;
    const isLocal = hub.url === undefined;
    const said = isLocal ? 'On this device only'
      : state === 'reauth' ? 'Needs a key'
        : state === 'in_sync' && pending === 0 ? 'Synced'
          : state === 'syncing' ? 'Syncing…'
            : navigator.onLine ? 'Waiting' : 'Offline';
    $('status').dataset.state = isLocal ? 'off' : state;
    $('status').textContent = pending > 0 && !isLocal ? `${said} · ${changes(pending)} to send` : said;

    $('queue-title').textContent = pending === 0 ? 'Nothing waits for the hub' : `${changes(pending)} to send`;
    const why = pending === 0 ? 'All changes are at the hub.'
      : isLocal ? 'They are offered once you connect to a hub.'
        : `Safe on this device. ${refused > 0 ? 'The hub refused some.' : `${reason[0].toUpperCase()}${reason.slice(1)}.`}`;
    $('queue-text').textContent = isLocal && pending === 0 ? 'This list has no hub yet.'
      : nextTry === undefined || pending === 0 ? why : `${why} Next try at ${time(nextTry)}.`;

    show('reauth', state === 'reauth');
    const unsent = pending === 0 ? '' : `, with ${changes(pending)} that the hub does not have`;
    $('reauth-text').textContent = `It was revoked, or has expired. Your list is safe on this device${unsent}. ` +
      'Make a new key for the same account, where the hub runs or on a device that still works, and enter it here: then ' +
      'everything is sent.';
    show('evictable', status.evictable);
    show('connect-later', isLocal);
    showQueue().catch((error) => { if (error.code !== 'closed') showError(error); });
    if (state === 'in_sync' && !isLocal) showConflicts();
  }

  async function showQueue() {
    const kShown = 50;
    const found = [];
    for await (const change of db.outbox()) {
      found.push(change);
      if (found.length > kShown) break;
    }
    waiting = new Set(found.map((change) => change.id));
    markWaiting();
    // Whoever is on one of its buttons stays there.
    const seen = JSON.stringify(found.map(({ id, doc, isDead, refusal }) => [id, doc, isDead, refusal?.detail]));
    if (seen === queue) return;
    queue = seen;
    $('queue').replaceChildren(...found.slice(0, kShown).map(makeChange));
    if (found.length > kShown) $('queue').append(make('li', { className: 'soft', textContent: 'And more.' }));
  }
  function markWaiting() {
    for (const [id, { waits }] of entries) waits.hidden = hub.url === undefined || !waiting.has(id);
  }
  function makeChange(change) {
    const { id, doc, refusal, isDead } = change;
    const what = doc === undefined ? `Delete “${texts.get(id) ?? id}”` : `${doc.done ? 'Done' : 'To do'}: “${doc.text}”`;
    const row = make('li', {}, what);
    if (refusal === undefined) return row;
    row.append(
      make('p', { className: 'why small', textContent: `The hub refused it: ${refusal.detail}` +
        `${isDead ? '. It is not sent again unless you say so.' : ''}` }),
      make('div', { className: 'buttons' },
        make('button', { textContent: 'Send it again', onclick: () => attempt(() => change.retry()) }),
        make('button', { textContent: 'Give it up', onclick: () => attempt(() => change.discard()) })));
    return row;
  }

  async function showConflicts() {
    let conflicts;
    try {
      conflicts = await db.space(kSpace).conflicts();
    } catch {
      return;  // without the hub those that were listed stay
    }
    const hadFocus = $('conflicts').contains(document.activeElement);
    $('conflicts').replaceChildren(...conflicts.map(makeConflict));
    show('conflicts', conflicts.length > 0);
    if (hadFocus) ($('conflicts').querySelector('button') ?? $('text')).focus();
  }
  function makeConflict(conflict) {
    const { winner, loser } = conflict;
    const say = (doc) => (doc === undefined ? 'Deleted' : `${doc.text}${doc.done ? ' (done)' : ''}`);
    const version = (title, doc) => make('div', { className: 'version' },
      make('dt', { textContent: title }), make('dd', { textContent: say(doc) }));
    const settle = (work) => () => attempt(async () => {
      await work();
      await showConflicts();
    });
    return make('section', { className: 'card conflict' },
      make('h2', { textContent: 'Two devices changed one entry' }),
      make('p', { className: 'small', textContent: 'Neither had seen the change of the other. Both versions are kept: which one is right?' }),
      make('dl', { className: 'versions' }, version('In the list now', winner), version('The other version', loser)),
      make('div', { className: 'buttons' },
        make('button', { textContent: 'Keep the list’s', onclick: settle(() => conflict.dismiss()) }),
        make('button', { textContent: 'Use the other', onclick: settle(() => conflict.restore()) })));
  }

  async function useKey(key) {
    const said = $('new-key-error');
    said.textContent = '';
    try {
      await db.setKey(key);
      keepHub(hub = { ...hub, key });
      $('another-key').value = '';
      $('text').focus();
    } catch (error) {
      said.textContent = error.name === 'AccountMismatch'
        ? `That key is one of another account, and nothing was sent with it: ${error.detail}. Use a key of the first ` +
          'account, or remove the list from this device.'
        : error.name === 'Unauthorized' ? 'The hub does not accept that key either.'
          : error.detail ?? error.message;
    }
  }

  function leave() {
    const { pending } = db.status.get();
    $('leave-text').textContent = pending > 0
      ? `The hub does not have ${changes(pending)} yet, and nobody else has: they would be lost.`
      : 'Everything is at the hub. To get it back here, connect again with a key.';
    $('leave').returnValue = '';
    $('leave').showModal();
    $('leave').onclose = () => {
      if ($('leave').returnValue !== 'leave') return;
      attempt(async () => {
        await db.logout({ discard: pending > 0 });
        localStorage.removeItem(kHub);
        location.reload();
      });
    };
  }
}
