// Commands that one of the account's runners executes: submit, follow the output, wait, cancel, decide approvals. All
// of it asks the hub: nothing is kept.
import { Deadline, type Caller, type CallOptions } from '../http/call.js';
import { streamFrom } from '../http/stream.js';
import type { Json } from '../http/types.js';
import { callerOf, type Source } from '../helpers/source.js';

export interface CommandRequest {
  /** `execute_bash`, `read_file`, `write_file`, `list_directory`, `aws_operation` or `code_search`. */
  type: string;
  /** Of `execute_bash`. */
  command?: string;
  workingDir?: string;
  /** How long it may run, up to what the runner's policy allows; milliseconds. */
  timeoutMs?: number;
  /** How long it may wait for a runner; milliseconds, 0: without an end. */
  ttlMs?: number;
  /** Higher ones run first. */
  priority?: number;
  [field: string]: Json | undefined;
}

export interface Approval {
  state: 'requested' | 'approved' | 'denied';
  /** Of the runner's policy. */
  rule?: string;
  /** What `always` would cover. */
  pattern?: string;
  [field: string]: Json | undefined;
}

export interface Command {
  id: string;
  type: string;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  /** Of a completed one; its members depend on the type. A program that ended with another code than 0 has completed. */
  result?: { stdout?: string; stderr?: string; exitCode?: number; [field: string]: Json | undefined };
  /** Why it failed: `cancelled`, the rule that forbids it, or what stopped it. */
  error?: string;
  approval?: Approval;
  /** Unix milliseconds. */
  createdAt: number;
  updatedAt: number;
  [field: string]: unknown;
}

export type OutputEvent =
  | { type: 'output'; stream: 'stdout' | 'stderr'; text: string }
  /** It waits for approval, or that has changed. */
  | { type: 'status'; status: Command['status']; approval: Approval }
  /** The hub has dropped output before this. */
  | { type: 'truncated' };

export interface SubmitOptions {
  /** Cancels the command, whatever it does by then. */
  signal?: AbortSignal;
  /** For the submission alone. */
  timeoutMs?: number;
  /** Give your own to submit once although the program restarts in between. */
  idempotencyKey?: string;
}

export interface ListOptions extends CallOptions {
  /** `held`: those that wait for approval. */
  status?: Command['status'] | 'held';
  limit?: number;
}

const kWaitS = 50;
const kResultMs = 600_000;
const kRetryMs = 2000;
const pathOf = (id: string): string => `/command/${encodeURIComponent(id)}`;
const isOver = ({ status }: Command): boolean => status === 'completed' || status === 'failed';

/** `source`: what `open` returned, or a `Hub`. Its key needs the scope `commands:submit`, or `commands:approve`. */
export function commands(source: Source): Commands {
  return new Commands(source);
}

export class Commands {
  constructor(private readonly source: Source) {}

  async submit(request: CommandRequest, options: SubmitOptions = {}): Promise<Run> {
    const { signal, timeoutMs, idempotencyKey } = options;
    signal?.throwIfAborted();
    const caller = await callerOf(this.source);
    const headers: Record<string, string> = idempotencyKey === undefined ? {}
      : { 'Idempotency-Key': `"${idempotencyKey}"` };
    // Without the signal: an answer that nobody waits for would leave a command that nobody knows.
    const { commandId } = await caller.json<{ commandId: string }>(
      { method: 'POST', path: '/command', body: JSON.stringify(request), headers }, { timeoutMs });
    const run = this.run(commandId);
    if (signal?.aborted) {
      await run.cancel();
      signal.throwIfAborted();
    }
    // The command outlives the call: who aborts hears of the outcome from result().
    signal?.addEventListener('abort', () => void run.cancel().catch(() => undefined), { once: true });
    return run;
  }
  /** A command that was submitted before, here or elsewhere. */
  run(id: string): Run {
    return new Run(this.source, id);
  }
  /** Newest first, without contents and results. */
  async list({ status, limit, ...options }: ListOptions = {}): Promise<Command[]> {
    const caller = await callerOf(this.source);
    const query = [status && `status=${status}`, limit && `limit=${limit}`].filter(Boolean).join('&');
    const answer = await caller.json<{ commands: (Command & { commandId: string })[] }>(
      { method: 'GET', path: `/command?${query}` }, options);
    return answer.commands.map(({ commandId, ...command }) => ({ ...command, id: commandId }));
  }
  /** `always` approves later ones of the same runner, type and pattern, too. Never one's own commands. */
  approve(id: string, options: CallOptions & { always?: boolean } = {}): Promise<void> {
    const { always = false, ...rest } = options;
    return this.#decide(id, { decision: 'approve', always }, rest);
  }
  /** The command fails with the reason. */
  deny(id: string, reason?: string, options: CallOptions = {}): Promise<void> {
    return this.#decide(id, { decision: 'deny', reason }, options);
  }

  async #decide(id: string, decision: object, options: CallOptions): Promise<void> {
    const caller = await callerOf(this.source);
    await caller.call({ method: 'POST', path: `${pathOf(id)}/approval`, body: JSON.stringify(decision) }, options);
  }
}

export class Run {
  constructor(private readonly source: Source, readonly id: string) {}

  /** The command as it is now. */
  async get(options: CallOptions = {}): Promise<Command> {
    return this.#get(await callerOf(this.source), options);
  }
  /**
   * What the command says, from its beginning as far as the hub still has it, until it ends. Throws `Unreachable` if the
   * connection breaks; the next call begins from the beginning again.
   */
  async *output(options: CallOptions = {}): AsyncGenerator<OutputEvent, void> {
    const caller = await callerOf(this.source);
    type Sent = Exclude<OutputEvent, { type: 'output' }> | { type: 'end' } |
      { type: 'output'; stream: 'stdout' | 'stderr'; data: string };
    for await (const event of streamFrom<Sent>(caller, `${pathOf(this.id)}/output`, options)) {
      if (event.type === 'end') return;
      if (event.type === 'output') yield { type: 'output', stream: event.stream, text: event.data };
      else if (event.type === 'status') yield { type: 'status', status: event.status, approval: event.approval };
      else yield { type: 'truncated' };
    }
  }
  /** Waits for the end, also while the hub cannot be reached; 10 minutes unless `timeoutMs` says otherwise. */
  async result({ signal, timeoutMs = kResultMs }: CallOptions = {}): Promise<Command> {
    const caller = await callerOf(this.source);
    const deadline = new Deadline({ signal }, timeoutMs);
    try {
      for (let wait = 0; ; wait = kWaitS) {
        try {
          const command = await deadline.race(this.#get(caller, { signal: deadline.signal }, wait));
          if (isOver(command)) return command;
        } catch (error) {
          if (deadline.signal.aborted || (error as { retry?: string }).retry !== 'later') throw error;
          await deadline.sleep(kRetryMs);
        }
      }
    } finally {
      deadline.release();
    }
  }
  /** A pending one fails at once; a running one when its runner has killed it. One that has ended stays as it is. */
  async cancel(options: CallOptions = {}): Promise<void> {
    const caller = await callerOf(this.source);
    await caller.call({ method: 'DELETE', path: pathOf(this.id) }, options);
  }

  async #get(caller: Caller, options: CallOptions, wait = 0): Promise<Command> {
    const command = await caller.json<Command>(
      { method: 'GET', path: `${pathOf(this.id)}${wait > 0 ? `?wait=${wait}` : ''}` }, options);
    return { ...command, id: this.id };
  }
}
