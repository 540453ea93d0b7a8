// One space of one hub: the replicator's steps as requests, and the answers as its outcomes. Whoever carries the requests
// asks next() and hands what came to finish(), one at a time.
import { kBeginning, type Cursor } from '../core/cursor.js';
import { Replicator, type ReplicatorSettings, type SyncFailure } from '../core/replicator.js';
import { AccountMismatch, Forbidden, Refused, StoreFull, SynclineError, Timeout, Unauthorized, Unreachable } from '../http/errors.js';
import type { LocalSpace } from './local_space.js';
import type { Batch, Limits } from './outbox.js';
import { NotUnderstood, opText, parsePage, parsePushAnswer, pullPath, pushBody, spacePath } from './wire.js';

export interface HubRequest {
  ticket: number;
  method: 'GET' | 'POST';
  path: string;
  body?: string;
  timeoutMs: number;
}

const kRetryAfterMaxMs = 3_600_000;
/** The same, of somebody who is not the hub. */
const kRetryStrangerMaxMs = 30_000;
const kPatienceMaxMs = 600_000;

/** The hub has another history. */
class OtherHistory extends Error {}

export class SpaceReplica {
  readonly machine: Replicator;
  readonly #timeoutMs: number;
  /** Smaller after a push that failed. */
  #opsMax: number;
  /** Smaller after a pull that failed. */
  #pageMax: number;
  /** For an answer. Longer after one that did not come in time and cannot be smaller: a document may be large. */
  #patienceMs: number;
  /** Of the push that is on its way. */
  #batch: Batch | undefined;
  #askedSince: Cursor = kBeginning;
  #askedMax = 0;

  constructor(readonly local: LocalSpace, private readonly limits: Limits, settings: Partial<ReplicatorSettings> = {}) {
    this.machine = new Replicator(settings);
    this.#timeoutMs = settings.stepTimeoutMs ?? 60_000;
    this.#patienceMs = this.#timeoutMs;
    this.#opsMax = limits.opsMax;
    this.#pageMax = limits.pageMax;
  }

  /** `anew`: it is another hub than before. */
  async connect(anew: boolean, nowMs: number): Promise<void> {
    this.#batch = undefined;
    if (anew) await this.local.startOver();
    this.machine.connect(this.local.state.cursor, this.local.pushEverythingFirst, nowMs);
  }

  /** The request to send now, if there is one. Errors of the local store become the status. */
  async next(nowMs: number, random: number, docsAsText: boolean): Promise<HubRequest | undefined> {
    const step = this.machine.next(nowMs, random);
    if (step.kind === 'none') return undefined;
    this.#batch = undefined;
    const { local } = this;
    try {
      if (step.kind === 'pull') {
        const { cursor, known } = local.state;
        this.#askedSince = cursor;
        this.#askedMax = this.#pageMax;
        const path = pullPath(local.name, cursor, known, this.#pageMax, docsAsText);
        return this.#begin({ ticket: step.ticket, method: 'GET', path }, nowMs);
      }
      const batch = await local.nextBatch(step.withRefused, this.#opsMax);
      if (batch.items.length === 0) {
        this.machine.pushed(step.ticket, {
          cursor: local.state.cursor, more: false, needsPull: false, refused: local.waitingRefused,
        }, nowMs);
        return this.next(nowMs, random, docsAsText);
      }
      this.#batch = batch;
      return this.#begin({
        ticket: step.ticket,
        method: 'POST',
        path: `${spacePath(local.name)}/push${docsAsText ? '?docs=text' : ''}`,
        body: pushBody(local.history, local.state.known, batch.items.map((item) => opText(item.row, item.base))),
      }, nowMs);
    } catch (error) {
      this.#fail(step.ticket, error, nowMs, random);
      return undefined;
    }
  }

  /** `outcome`: the text of an answer with a status of 2xx, or what went wrong. */
  async finish(ticket: number, outcome: string | SynclineError, nowMs: number, random: number): Promise<void> {
    if (!this.machine.awaits(ticket)) return;
    try {
      if (typeof outcome !== 'string') {
        const isNoAnswer = outcome instanceof Timeout || (outcome instanceof Unreachable && outcome.status === undefined);
        if (isNoAnswer) this.#reduceAfter(outcome);
        else this.#patienceMs = this.#timeoutMs;
        await this.#takeError(ticket, outcome, nowMs);
        return;
      }
      this.#patienceMs = this.#timeoutMs;
      if (this.#batch === undefined) await this.#takePage(ticket, outcome, nowMs);
      else await this.#takeVerdicts(ticket, this.#batch, outcome, nowMs);
    } catch (error) {
      if (!(error instanceof OtherHistory)) return this.#fail(ticket, error, nowMs, random);
      try {
        await this.local.startOver();
        this.#batch = undefined;
        this.machine.reset(ticket, true, nowMs);
      } catch (failure) {
        this.#fail(ticket, failure, nowMs, random);
      }
    }
  }

  #begin(request: Omit<HubRequest, 'timeoutMs'>, nowMs: number): HubRequest {
    this.machine.progress(request.ticket, nowMs, this.#patienceMs);
    return { ...request, timeoutMs: this.#patienceMs };
  }

  async #takePage(ticket: number, text: string, nowMs: number): Promise<void> {
    const { local } = this;
    const page = parsePage(text, this.#askedSince, this.#askedMax);
    if (local.isOtherHistory(page.cursor)) throw new OtherHistory();
    if (page.more && page.cursor.seq <= this.#askedSince.seq) {
      throw new NotUnderstood('it announces more changes, but its cursor does not advance');
    }
    this.#pageMax = Math.min(this.#pageMax * 2, this.limits.pageMax);
    await local.apply(page);
    const isReadAgain = !page.more && local.mayHaveMissed();
    if (isReadAgain) await local.readFromStart();
    this.machine.pulled(ticket, { cursor: local.state.cursor, more: page.more || isReadAgain }, nowMs);
  }

  async #takeVerdicts(ticket: number, batch: Batch, text: string, nowMs: number): Promise<void> {
    const { local } = this;
    const answer = parsePushAnswer(text, batch.items.length);
    if (local.isOtherHistory(answer.cursor)) throw new OtherHistory();
    const settled = await local.settle(batch, answer);
    this.#batch = undefined;
    this.#opsMax = Math.min(this.#opsMax * 2, this.limits.opsMax);
    this.machine.pushed(ticket, {
      cursor: settled.cursor,
      more: batch.more || settled.isPartial,
      needsPull: settled.needsPull,
      refused: local.waitingRefused,
    }, nowMs);
  }

  /** An answer that is an error may still be an outcome. Throws what is a failure of the step. */
  async #takeError(ticket: number, error: SynclineError, nowMs: number): Promise<void> {
    const { local } = this;
    const isResync = error.code === 'epoch_changed' || error.code === 'cursor_ahead' || error.code === 'cursor_expired';
    if (this.#batch === undefined) {
      const knewSomething = this.#askedSince.epoch !== '' || local.state.known.epoch !== '';
      if (isResync && !knewSomething) throw new NotUnderstood(error.detail);
      if (error.code === 'cursor_expired') {
        await local.readFromStart();
        this.machine.pulled(ticket, { cursor: local.state.cursor, more: true }, nowMs);
        return;
      }
    } else if (isResync && local.state.epoch === '') {
      throw new NotUnderstood(error.detail);
    }
    if (isResync) throw new OtherHistory();
    const isAboutTheRequest = error instanceof Refused && isHubs(error) &&
      (error.status === 400 || error.status === 413 || error.status === 422);
    if (this.#batch === undefined || !isAboutTheRequest) throw error;
    await this.#shrink(ticket, this.#batch, error, nowMs);
  }

  /** The hub does not take the request as a whole: smaller ones, down to the change that is at fault. */
  async #shrink(ticket: number, batch: Batch, error: SynclineError, nowMs: number): Promise<void> {
    const { local } = this;
    const count = batch.items.length;
    this.#opsMax = Math.max(1, Math.trunc(count / 2));
    if (count === 1) {
      await local.settle(batch, { cursor: local.state.cursor, verdicts: [{
        status: 'refused', seq: 0, at: undefined, version: undefined, code: 'invalid_argument', detail: error.detail,
      }] });
    }
    this.#batch = undefined;
    this.machine.pushed(ticket, {
      cursor: local.state.cursor, more: true, needsPull: false, refused: local.waitingRefused,
    }, nowMs);
  }

  /** There was no answer: it may have been too much for the link. */
  #reduceAfter(error: SynclineError): void {
    const count = this.#batch?.items.length ?? 0;
    let isLess = count > 1;
    if (isLess) this.#opsMax = Math.trunc(count / 2);
    if (count === 0) {
      isLess = this.#pageMax > 1;
      this.#pageMax = Math.max(1, Math.trunc(this.#pageMax / 2));
    }
    if (!isLess && error instanceof Timeout) this.#patienceMs = Math.min(this.#patienceMs * 2, kPatienceMaxMs);
  }

  #fail(ticket: number, error: unknown, nowMs: number, random: number): void {
    this.#batch = undefined;
    const failure: SyncFailure = { kind: kindOf(error), text: textOf(error) };
    if (error instanceof SynclineError && error.retryAfterMs !== undefined) {
      failure.retryAfterMs = Math.min(error.retryAfterMs, isHubs(error) ? kRetryAfterMaxMs : kRetryStrangerMaxMs);
    }
    this.machine.failed(ticket, failure, nowMs, random);
  }
}

/**
 * An answer without a code is not the hub's, whatever its status: some network on the way wants a login, or a proxy is in
 * trouble. Only 413 is taken from a proxy, too.
 */
const isHubs = ({ code, status }: SynclineError): boolean => !code.startsWith('http_') || status === 413;

function kindOf(error: unknown): SyncFailure['kind'] {
  if (error instanceof SynclineError && !isHubs(error)) return 'unreachable';
  if (error instanceof Unauthorized || error instanceof Forbidden || error instanceof AccountMismatch) return 'keyRefused';
  if (error instanceof Unreachable || error instanceof Timeout || error instanceof NotUnderstood) return 'unreachable';
  if (error instanceof StoreFull || (error instanceof SynclineError && error.code === 'store_failed')) return 'local';
  return 'other';
}

const textOf = (error: unknown): string =>
  error instanceof SynclineError ? error.detail : error instanceof Error ? error.message : String(error);
