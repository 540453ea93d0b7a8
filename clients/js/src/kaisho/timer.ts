// Clock entries and the one that runs. The rules are the hub's, which has the last word when devices meet: at most one
// entry runs, the later start wins, the other one ends at that start, and the first stop of an entry counts.
import { Refused } from '../http/errors.js';
import type { Collection, Item, Query } from '../local/collection.js';
import { timeText, uuid7 } from '../helpers/ids.js';
import { rowOf, Rows, type Row } from './rows.js';

export interface Entry {
  customer: string | null;
  description: string;
  /** RFC 3339, UTC. */
  start: string;
  /** Null: it runs. */
  end: string | null;
  task_id: string | null;
  contract: string | null;
  project: string | null;
  notes: string;
  invoiced: boolean;
  created_at: string;
}

type Described = Partial<Pick<Entry, 'customer' | 'description' | 'task_id' | 'contract' | 'project' | 'notes'>>;

export interface Start extends Described {
  /** When the person tapped; now if absent. */
  at?: Date;
}
/** `minutes`, with a start or an end or neither (until now); or both times. */
export interface Booking extends Described {
  minutes?: number;
  start?: Date;
  end?: Date;
}
/** Entries that start at `from` or later, and before `to`. */
export interface Period {
  from?: Date;
  to?: Date;
  customer?: string;
}

const kMinuteMs = 60_000;
const startMs = (entry: Entry): number => Date.parse(entry.start);

function entryOf({ customer, description, task_id, contract, project, notes }: Described, start: Date,
  end: Date | null): Entry {
  if (end !== null && end < start) {
    throw new Refused('time_out_of_range', `the end (${timeText(end)}) is before the start (${timeText(start)})`);
  }
  return {
    customer: customer || null, description: description ?? '', start: timeText(start),
    end: end && timeText(end), task_id: task_id || null, contract: contract || null, project: project || null,
    notes: notes ?? '', invoiced: false, created_at: timeText(new Date()),
  };
}

/** An entry never ends before it starts. */
const ended = (entry: Entry, at: Date): Entry => ({ ...entry, end: timeText(new Date(Math.max(startMs(entry), +at))) });

export class Timer {
  constructor(private readonly entries: Collection<Entry>) {}

  /** The entry that runs. */
  async running(): Promise<Row<Entry> | undefined> {
    return (await this.#running())[0];
  }
  /** Calls back at once and after each change, with the entry that runs, or undefined. Returns the end of it. */
  watch(onChange: (running: Row<Entry> | undefined) => void, options: { signal?: AbortSignal } = {}): () => void {
    return this.entries.watch({ where: { end: null } }, (items) => onChange(newestFirst(items)[0]), options);
  }
  /**
   * Starts a timer, and ends the one that runs at its start. Returns the entry that runs then: the other one if that has
   * started later.
   */
  async start({ at = new Date(), ...fields }: Start = {}): Promise<Row<Entry>> {
    const others = await this.#running();
    const later = others.find((other) => startMs(other) >= +at);
    // The other one first: if the program ends in between, none runs, and no time counts twice.
    for (const other of others) if (other !== later) await this.#end(other.id, later ? new Date(later.start) : at);
    const id = uuid7(+at);
    const entry = entryOf(fields, at, later ? new Date(later.start) : null);
    await this.entries.put(id, entry);
    return later ?? { ...entry, id };
  }
  /** Stops the entry that runs and returns it; undefined if none runs. */
  async stop({ at = new Date() }: { at?: Date } = {}): Promise<Row<Entry> | undefined> {
    let last: Row<Entry> | undefined;
    for (const { id } of (await this.#running()).reverse()) {
      const stopped = await this.#end(id, at);
      if (stopped !== undefined) last = { ...stopped, id };
    }
    return last;
  }

  async #running(): Promise<Row<Entry>[]> {
    return newestFirst(await this.entries.query({ where: { end: null } }));
  }
  /** The stopped entry; undefined if somebody was faster. */
  async #end(id: string, at: Date): Promise<Entry | undefined> {
    let stopped: Entry | undefined;
    await this.entries.patch(id, (old) => (stopped = old?.end === null ? ended(old, at) : undefined));
    return stopped;
  }
}

function newestFirst(items: Item<Entry>[]): Row<Entry>[] {
  return items.map(rowOf).sort((a, b) => startMs(b) - startMs(a));
}

export class Entries extends Rows<Entry> {
  constructor(private readonly all: Collection<Entry>) {
    super(all, () => entryOf({}, new Date(), new Date()), uuid7);
  }

  /** Books time that has passed. Entries may overlap. */
  async book({ minutes, start, end, ...fields }: Booking): Promise<Row<Entry>> {
    const isGiven = minutes !== undefined;
    if (isGiven ? start && end : !start || !end) {
      throw new Refused('give_minutes_or_start_and_end', 'give minutes, with a start or an end; or both times');
    }
    const lengthMs = (minutes ?? 0) * kMinuteMs;
    const until = end ?? (start ? new Date(+start + lengthMs) : new Date());
    const entry = entryOf(fields, start ?? new Date(+until - lengthMs), until);
    const id = uuid7();
    await this.all.put(id, entry);
    return { ...entry, id };
  }
  /** Newest first. */
  async between({ from, to, customer }: Period = {}): Promise<Row<Entry>[]> {
    const isMeant = (entry: Entry): boolean => (!from || startMs(entry) >= +from) && (!to || startMs(entry) < +to) &&
      (customer === undefined || entry.customer === customer);
    const query: Query<Entry> = { where: isMeant, order: 'start', descending: true };
    return this.list(query);
  }
  /** Refuses an end before the start. */
  override async change(id: string, fields: Partial<Entry>): Promise<Row<Entry>> {
    const old = await this.get(id);
    const { start, end } = { ...old, ...fields };
    if (start && end && Date.parse(end) < Date.parse(start)) {
      throw new Refused('time_out_of_range', `the end (${end}) is before the start (${start})`);
    }
    return super.change(id, fields);
  }
}
