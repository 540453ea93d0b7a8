// Copies 100 documents to the hub and 100 others back, as an application with PouchDB does.
// usage: node replicate.mjs URL KEY; prints what was copied, as JSON
import PouchDB from 'pouchdb-core';
import http from 'pouchdb-adapter-http';
import memory from 'pouchdb-adapter-memory';
import replication from 'pouchdb-replication';

PouchDB.plugin(http).plugin(memory).plugin(replication);

const [url, key] = process.argv.slice(2);
const remote = new PouchDB(url, {
  fetch: (target, options) => {
    options.headers.set('Authorization', `Bearer ${key}`);
    return PouchDB.fetch(target, options);
  },
});

const documents = (device) => Array.from({length: 100}, (_, i) => ({_id: `${device}-${i}`, text: `note ${i} äöü 🦊`}));
const all = async (db) => (await db.allDocs({include_docs: true})).rows.map((row) => row.doc);

const laptop = new PouchDB('laptop', {adapter: 'memory'});
const phone = new PouchDB('phone', {adapter: 'memory'});
await laptop.bulkDocs(documents('laptop'));
await phone.bulkDocs(documents('phone'));

const pushed = await laptop.replicate.to(remote);
const both = await phone.sync(remote);
const pulled = await laptop.replicate.from(remote);

// An edit and a deletion travel as well, and a repeated replication copies nothing.
const edited = await phone.get('laptop-7');
await phone.put({...edited, text: 'edited on the phone'});
await phone.remove(await phone.get('laptop-8'));
await phone.replicate.to(remote);
const edits = await laptop.replicate.from(remote);
const again = await laptop.replicate.from(remote);

console.log(JSON.stringify({
  pushed: pushed.docs_written,
  phone_pushed: both.push.docs_written,
  phone_pulled: both.pull.docs_written,
  pulled: pulled.docs_written,
  failures: pushed.doc_write_failures + both.push.doc_write_failures + both.pull.doc_write_failures,
  edits: edits.docs_written,
  again: again.docs_written,
  laptop: await all(laptop),
  phone: await all(phone),
}));
