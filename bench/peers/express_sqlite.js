// The peer of the HTTP figures: /v1 push and changes as a competent developer would write them with Express 5,
// better-sqlite3 (WAL, synchronous FULL) and ws: bearer keys by hash, last write wins, one transaction a push, notices
// over WebSocket. Usage: node express_sqlite.js FILE PORT TOKEN
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import Database from 'better-sqlite3';
import express from 'express';
import { WebSocketServer } from 'ws';

const [file, port, token] = process.argv.slice(2);
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE IF NOT EXISTS keys (hash TEXT PRIMARY KEY, account INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS spaces (account INTEGER, name TEXT, head INTEGER, PRIMARY KEY (account, name)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS records (
    account INTEGER, space TEXT, collection TEXT, id TEXT, seq INTEGER, updated_at INTEGER, deleted INTEGER, doc TEXT,
    PRIMARY KEY (account, space, collection, id));
  CREATE UNIQUE INDEX IF NOT EXISTS records_seq ON records (account, space, seq);
`);
const hash = (text) => createHash('sha256').update(text).digest('hex');
db.prepare('INSERT OR REPLACE INTO keys VALUES (?, 1)').run(hash(token));

const findKey = db.prepare('SELECT account FROM keys WHERE hash = ?');
const findHead = db.prepare('SELECT head FROM spaces WHERE account = ? AND name = ?').pluck();
const setHead = db.prepare('INSERT OR REPLACE INTO spaces VALUES (?, ?, ?)');
const findRecord = db.prepare(
  'SELECT seq, updated_at, deleted, doc FROM records WHERE account = ? AND space = ? AND collection = ? AND id = ?');
const putRecord = db.prepare(`
  INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, space, collection, id)
  DO UPDATE SET seq = excluded.seq, updated_at = excluded.updated_at, deleted = excluded.deleted, doc = excluded.doc`);
const readChanges = db.prepare(
  'SELECT seq, collection, id, updated_at, deleted, doc FROM records WHERE account = ? AND space = ? AND seq > ? ORDER BY seq LIMIT ?');

const push = db.transaction((account, space, ops) => {
  let head = findHead.get(account, space) ?? 0;
  const results = ops.map((op) => {
    const stamp = op.updated_at ? Date.parse(op.updated_at) * 1000 : Date.now() * 1000;
    const stored = findRecord.get(account, space, op.collection, op.id);
    const doc = op.deleted ? null : JSON.stringify(op.doc);
    if (stored && stored.doc === doc) return { status: 'noop', seq: stored.seq };
    if (stored && stored.updated_at > stamp) return { status: 'stale', seq: stored.seq, record: stored };
    head += 1;
    putRecord.run(account, space, op.collection, op.id, head, stamp, op.deleted ? 1 : 0, doc);
    return { status: 'applied', seq: head };
  });
  setHead.run(account, space, head);
  return { head, results };
});

const app = express();
app.disable('x-powered-by');
app.use(express.json({ limit: '64mb' }));
app.use((request, response, next) => {
  const key = findKey.get(hash((request.get('authorization') ?? '').slice(7)));
  if (!key) return response.status(401).json({ error: 'Unauthorized' });
  request.account = key.account;
  next();
});

const sockets = new Set();
app.post('/v1/spaces/:space/push', (request, response) => {
  const { head, results } = push(request.account, request.params.space, request.body.ops);
  response.json({ cursor: `e.${head}`, results });
  const notice = JSON.stringify({ type: 'change', space: request.params.space, cursor: `e.${head}` });
  for (const socket of sockets) socket.send(notice);
});
app.get('/v1/spaces/:space/changes', (request, response) => {
  const since = Number((request.query.since ?? 'e.0').split('.').pop());
  const limit = Math.min(Number(request.query.limit ?? 500), 5000);
  const rows = readChanges.all(request.account, request.params.space, since, limit + 1);
  const more = rows.length > limit;
  if (more) rows.pop();
  const changes = rows.map((row) => ({
    seq: row.seq, collection: row.collection, id: row.id,
    updated_at: new Date(row.updated_at / 1000).toISOString(), deleted: !!row.deleted,
    ...(row.deleted ? {} : { doc: JSON.parse(row.doc) }),
  }));
  response.json({ changes, cursor: `e.${rows.at(-1)?.seq ?? since}`, more });
});

const server = createServer(app);
new WebSocketServer({ server, path: '/v1/live' }).on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});
server.listen(Number(port), '127.0.0.1', () => console.log(`ready at http://127.0.0.1:${port}`));
