// Time tracking as Kaisho's apps do it, in the local copy: what is written here works without a network, and appears on
// the account's desktops and phones.
import type { CallOptions } from '../http/call.js';
import type { Collection } from '../local/collection.js';
import type { LocalCopy } from '../helpers/source.js';
import { timeText, uuid7 } from '../helpers/ids.js';
import { Rows } from './rows.js';
import { Entries, Timer, type Entry } from './timer.js';

export type { Row, Rows } from './rows.js';
export type { Booking, Entries, Entry, Period, Start, Timer } from './timer.js';

export interface InboxItem {
  /** `NOTE`, `EMAIL`, `LEAD`, `IDEA`, `BUG`, `FEATURE`, or another word. */
  type: string;
  customer: string;
  title: string;
  body: string;
  channel: string;
  direction: string;
  created_at: string;
}
export interface Task {
  customer: string;
  title: string;
  /** A word of the user's own list; `TODO` at first. */
  status: string;
  tags: string[];
  body: string;
  github_url: string;
  project: string | null;
  milestone: string | null;
  created_at: string;
}
export interface Note {
  customer: string;
  title: string;
  body: string;
  tags: string[];
  task_id: string | null;
  project: string;
  created_at: string;
}
export interface Customer {
  name: string;
  [field: string]: unknown;
}

export interface Kaisho {
  readonly timer: Timer;
  readonly entries: Entries;
  readonly inbox: Rows<InboxItem>;
  readonly tasks: Rows<Task>;
  readonly notes: Rows<Note>;
  /** The customers that a desktop has pushed. */
  customers(options?: CallOptions): Promise<Customer[]>;
}

/**
 * `db`: what `open` returned; it keeps the space `kaisho` in sync from now on. With `indexes: { entries: ['start',
 * 'end'] }` the timer and lists of entries read indexes.
 */
export function kaisho(db: LocalCopy): Kaisho {
  const space = db.space('kaisho');
  const created_at = () => timeText(new Date());
  const rows = <T extends object>(name: string, defaults: () => T) => new Rows<T>(space.collection<T>(name), defaults, uuid7);
  const entries: Collection<Entry> = space.collection<Entry>('entries');
  const reference = space.collection<{ items: Customer[] }>('reference');
  return {
    timer: new Timer(entries),
    entries: new Entries(entries),
    inbox: rows<InboxItem>('inbox', () => (
      { type: 'NOTE', customer: '', title: '', body: '', channel: '', direction: 'in', created_at: created_at() })),
    tasks: rows<Task>('tasks', () => ({ customer: '', title: '', status: 'TODO', tags: [], body: '', github_url: '',
      project: null, milestone: null, created_at: created_at() })),
    notes: rows<Note>('notes', () => (
      { customer: '', title: '', body: '', tags: [], task_id: null, project: '', created_at: created_at() })),
    customers: async () => (await reference.get('customers'))?.items ?? [],
  };
}
