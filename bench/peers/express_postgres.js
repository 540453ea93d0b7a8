// The peer of the Kaisho figures: apply, changes, stats and active as a competent developer would write them with
// Express 5 and PostgreSQL: a pool, prepared statements, one transaction a request, many rows in one statement, change
// numbers from a counter that the transaction locks. Usage: node express_postgres.js CONNECTION_URL PORT TOKEN
import { createHash } from 'node:crypto';
import express from 'express';
import pg from 'pg';

const [connectionString, port, token] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString, max: 16 });
const hash = (text) => createHash('sha256').update(text).digest('hex');

await pool.query(`
  CREATE TABLE accounts (id int PRIMARY KEY, key_hash text UNIQUE, plan text, email text, head bigint NOT NULL);
  CREATE TABLE clock_entries (
    account int NOT NULL, id text NOT NULL, customer text, description text NOT NULL, start_at timestamptz NOT NULL,
    end_at timestamptz, task_id text, contract text, notes text NOT NULL, invoiced boolean NOT NULL,
    updated_at timestamptz NOT NULL, deleted_at timestamptz, seq bigint NOT NULL, PRIMARY KEY (account, id));
  CREATE UNIQUE INDEX ON clock_entries (account, seq);
  CREATE INDEX ON clock_entries (account) WHERE end_at IS NULL AND deleted_at IS NULL;
`);
await pool.query('INSERT INTO accounts VALUES (1, $1, $2, $3, 0)', [hash(token), 'sync_ai', 'me@example.org']);

const statement = (name, text) => (client, values) => client.query({ name, text, values });
const findKey = statement('key', 'SELECT id, plan, email FROM accounts WHERE key_hash = $1');
const lockHead = statement('head', 'SELECT head FROM accounts WHERE id = $1 FOR UPDATE');
const setHead = statement('set_head', 'UPDATE accounts SET head = $2 WHERE id = $1');
const upsert = statement('upsert', `
  INSERT INTO clock_entries
  SELECT $1, r.id, r.customer, coalesce(r.description, ''), r.start, r.end, r.task_id, r.contract, coalesce(r.notes, ''),
         coalesce(r.invoiced, false), r.updated_at, r.deleted_at, $2 + row_number() OVER ()
  FROM jsonb_to_recordset($3::jsonb) AS r (id text, customer text, description text, start timestamptz, "end" timestamptz,
    task_id text, contract text, notes text, invoiced boolean, updated_at timestamptz, deleted_at timestamptz)
  ON CONFLICT (account, id) DO UPDATE SET
    customer = excluded.customer, description = excluded.description, start_at = excluded.start_at,
    end_at = excluded.end_at, task_id = excluded.task_id, contract = excluded.contract, notes = excluded.notes,
    invoiced = excluded.invoiced, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, seq = excluded.seq
  WHERE excluded.updated_at > clock_entries.updated_at
  RETURNING xmax = 0 AS inserted`);
const readChanges = statement('changes', 'SELECT * FROM clock_entries WHERE account = $1 AND seq > $2 ORDER BY seq LIMIT $3');
const readStats = statement('stats', `
  SELECT count(*) FILTER (WHERE deleted_at IS NULL)::int AS entries, max(updated_at) AS changed
  FROM clock_entries WHERE account = $1`);
const readActive = statement('active', `
  SELECT * FROM clock_entries WHERE account = $1 AND end_at IS NULL AND deleted_at IS NULL LIMIT 1`);

const time = (date) => (date ? date.toISOString() : null);
const row = (r) => ({
  id: r.id, customer: r.customer, description: r.description, start: time(r.start_at), end: time(r.end_at),
  task_id: r.task_id, contract: r.contract, notes: r.notes, invoiced: r.invoiced, updated_at: time(r.updated_at),
  deleted_at: time(r.deleted_at),
});
const cursorOf = (seq) => `1970-01-01T00:00:00.${String(seq).padStart(6, '0')}Z`;
const seqOf = (text) => Number((text ?? '').match(/\.(\d{6})Z$/)?.[1] ?? 0);

async function transaction(run) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await run(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

const app = express();
app.disable('x-powered-by');
app.use(express.json({ limit: '64mb' }));
app.use(async (request, response, next) => {
  const { rows } = await findKey(pool, [hash((request.get('authorization') ?? '').slice(7))]);
  if (rows.length === 0) return response.status(401).json({ error: 'Unauthorized' });
  request.account = rows[0];
  next();
});
app.post('/sync/apply', async (request, response) => {
  const { entries } = request.body;
  const { id } = request.account;
  const applied = await transaction(async (client) => {
    const head = Number((await lockHead(client, [id])).rows[0].head);
    const { rows } = await upsert(client, [id, head, JSON.stringify(entries)]);
    await setHead(client, [id, head + entries.length]);
    return rows;
  });
  const inserted = applied.filter((one) => one.inserted).length;
  response.json({
    inserted, updated: applied.length - inserted, skipped: entries.length - applied.length, errors: [],
    applied_at: new Date().toISOString(),
  });
});
app.get('/sync/changes', async (request, response) => {
  const limit = Math.min(Number(request.query.limit ?? 200), 500);
  const { rows } = await readChanges(pool, [request.account.id, seqOf(request.query.since), limit + 1]);
  const more = rows.length > limit;
  if (more) rows.pop();
  response.json({
    now: new Date().toISOString(), cursor: rows.length ? cursorOf(rows.at(-1).seq) : request.query.since,
    entries: rows.map(row), has_more: more,
  });
});
app.get('/sync/stats', async (request, response) => {
  const { id, plan, email } = request.account;
  const [stats, active] = await Promise.all([readStats(pool, [id]), readActive(pool, [id])]);
  response.json({
    entry_count: stats.rows[0].entries, last_change_at: time(stats.rows[0].changed),
    active_timer_id: active.rows[0]?.id ?? null, plan, email,
  });
});
app.get('/sync/active', async (request, response) => {
  const { rows } = await readActive(pool, [request.account.id]);
  response.json(rows.length ? { active: true, ...row(rows[0]) } : { active: false });
});
app.listen(Number(port), '127.0.0.1', () => console.log(`ready at http://127.0.0.1:${port}`));
