// One request with all that belongs to it: the key, a deadline, cancelling, and repeating where that is safe.
import { Cancelled, errorOf, messageOf, SynclineError, Timeout, Unreachable } from './errors.js';

/** A token, or a function that gives one, for example from a password store. */
export type Key = string | (() => string | Promise<string>);

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** For the whole call with its repeats; the default is that of the client. */
  timeoutMs?: number | undefined;
}

export interface CallerSettings {
  url: string;
  key?: Key | undefined;
  timeoutMs?: number | undefined;
  /** Instead of the global one, for tests and proxies. */
  fetch?: typeof fetch | undefined;
}

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: string | undefined;
  headers?: Record<string, string>;
  /** False for a driver that has a back-off of its own. */
  repeats?: boolean;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

const kTimeoutMs = 60_000;
const kRepeatsMax = 3;
const kFirstWaitMs = 500;
/** Who is asked to wait longer gets the error, with the time in it. */
const kRetryAfterMaxMs = 60_000;
const kRepeatedStatuses = new Set([429, 502, 503, 504]);
/** Larger delays overflow the timers of browsers, which then fire at once. */
const kTimerMaxMs = 2_147_483_647;

/** What ends when the caller cancels, or the time is over. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = () => this.#controller.abort(new Cancelled('cancelled', 'cancelled'));

  constructor(options: CallOptions, timeoutMs: number) {
    this.#outer = options.signal;
    const late = () => this.#controller.abort(
      new Timeout('timeout', `no answer within ${timeoutMs} ms`, { retry: 'later' }));
    this.#timer = setTimeout(late, Math.min(timeoutMs, kTimerMaxMs));
    if (this.#outer?.aborted) this.#onAbort();
    else this.#outer?.addEventListener('abort', this.#onAbort, { once: true });
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  /** The outcome of `work`, or the reason of the end if that comes first. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    if (signal.aborted) {
      work.catch(() => undefined);  // nobody waits for it any more
      throw signal.reason;
    }
    let onAbort = () => undefined as void;
    const ended = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([work, ended]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
  async sleep(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await this.race(new Promise<void>((resolve) => { timer = setTimeout(resolve, ms); }));
    } finally {
      clearTimeout(timer);
    }
  }
  release(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }
}

/** Unique, not secret: Node 18 has no global `crypto`. */
export function randomId(): string {
  const random = () => Math.floor(Math.random() * 0x1_0000_0000);
  const words = globalThis.crypto?.getRandomValues(new Uint32Array(4)) ?? Uint32Array.from({ length: 4 }, random);
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** Fatal: a document that is not UTF-8 must fail, not come out changed. */
export const decode = (bytes: ArrayBuffer): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

export class Caller {
  readonly url: string;
  readonly #settings: CallerSettings;
  #asking: Promise<string> | undefined;

  constructor(settings: CallerSettings) {
    this.#settings = settings;
    this.url = settings.url.replace(/\/+$/, '');
  }

  /** The key as it is now. Several calls that need it ask for it once. */
  key(): Promise<string> {
    const { key } = this.#settings;
    if (typeof key !== 'function') return Promise.resolve(key ?? '');
    this.#asking ??= Promise.resolve().then(key).finally(() => { this.#asking = undefined; });
    return this.#asking;
  }

  async json<T>(request: Request, options: CallOptions = {}): Promise<T> {
    return parse<T>((await this.call(request, options)).text);
  }

  /** The answer, if its status is 2xx or 304; otherwise the error that it describes. */
  async call(request: Request, options: CallOptions = {}): Promise<Answer> {
    const deadline = new Deadline(options, options.timeoutMs ?? this.#settings.timeoutMs ?? kTimeoutMs);
    const needsKey = request.method === 'POST' && request.repeats !== false && !request.headers?.['Idempotency-Key'];
    const withKey = !needsKey
      ? request
      : { ...request, headers: { ...request.headers, 'Idempotency-Key': `"${randomId()}"` } };
    try {
      for (let repeat = 0; ; ++repeat) {
        try {
          return await this.#once(withKey, deadline);
        } catch (error) {
          if (!(error instanceof Unreachable) || !this.#mayRepeat(withKey, error, repeat)) throw error;
          const spread = kFirstWaitMs * 2 ** repeat * (0.8 + Math.random() * 0.4);
          await deadline.sleep(Math.max(spread, error.retryAfterMs ?? 0));
        }
      }
    } finally {
      deadline.release();
    }
  }

  /** PATCH has no idempotency key. An answer that no repeat betters (500) is final. */
  #mayRepeat(request: Request, error: Unreachable, repeat: number): boolean {
    return request.repeats !== false && request.method !== 'PATCH' && repeat < kRepeatsMax &&
      (error.status === undefined || kRepeatedStatuses.has(error.status)) &&
      (error.retryAfterMs ?? 0) <= kRetryAfterMaxMs;
  }

  async #once(request: Request, deadline: Deadline): Promise<Answer> {
    const response = await this.open(request, deadline);
    let text: string;
    try {
      text = decode(await deadline.race(response.arrayBuffer()));
    } catch (error) {
      throw brokenBy(error);
    }
    if (!response.ok && response.status !== 304) throw errorOf(response.status, response.headers, text);
    return { status: response.status, headers: response.headers, text };
  }

  /** The response with its body still to be read. A key function is asked again once if the hub refuses the key. */
  async open(request: Request, deadline: Deadline): Promise<Response> {
    const key = await deadline.race(this.key());
    const response = await this.#send(request, key, deadline);
    if (response.status !== 401 || typeof this.#settings.key !== 'function') return response;
    const again = await deadline.race(this.key());
    return again === key ? response : this.#send(request, again, deadline);
  }

  async #send(request: Request, key: string, deadline: Deadline): Promise<Response> {
    const headers: Record<string, string> = { ...request.headers };
    if (key !== '') headers['Authorization'] = `Bearer ${key}`;
    if (request.body !== undefined) headers['Content-Type'] = 'application/json';
    const send = this.#settings.fetch ?? fetch;
    try {
      return await deadline.race(send(this.url + request.path, {
        method: request.method,
        headers,
        signal: deadline.signal,
        // A cookie of the page would count beside the key, and a redirect would carry the key elsewhere.
        credentials: 'omit',
        redirect: 'error',
        cache: 'no-store',
        ...(request.body === undefined ? {} : { body: request.body }),
      }));
    } catch (error) {
      throw brokenBy(error);
    }
  }
}

function brokenBy(error: unknown): SynclineError {
  if (error instanceof SynclineError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return new Unreachable('unreachable', `no answer from the hub: ${messageOf(cause)}`, { retry: 'later', cause: error });
}

export function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Unreachable('invalid_answer', 'the answer is not JSON', { retry: 'later', cause: error });
  }
}
