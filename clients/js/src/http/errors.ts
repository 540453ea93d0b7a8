// What can go wrong, as types. `code` is stable and is the one of the hub's problem page; `retry` says what to do.

export type Retry = 'never' | 'now' | 'later' | 'after_reauth';

export interface ErrorDetails {
  retry?: Retry;
  status?: number | undefined;
  requestId?: string | undefined;
  /** The hub asks not to come before; milliseconds. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

export class SynclineError extends Error {
  override name = 'SynclineError';
  declare readonly retry: Retry;
  declare readonly status: number | undefined;
  declare readonly requestId: string | undefined;
  declare readonly retryAfterMs: number | undefined;

  constructor(readonly code: string, readonly detail: string, more: ErrorDetails = {}) {
    super(`${detail} (${code})`, more.cause === undefined ? undefined : { cause: more.cause });
    this.retry = more.retry ?? 'never';
    this.status = more.status;
    this.requestId = more.requestId;
    this.retryAfterMs = more.retryAfterMs;
  }
}

export const messageOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** The hub does not know the key, or does not accept it any more. */
export class Unauthorized extends SynclineError {
  override name = 'Unauthorized';
}
/** The key is valid, but not for this. */
export class Forbidden extends SynclineError {
  override name = 'Forbidden';
  constructor(code: string, detail: string, more: ErrorDetails, readonly scope: string | undefined) {
    super(code, detail, more);
  }
}
/** The key belongs to another account than the local copy. Nothing was sent. */
export class AccountMismatch extends SynclineError {
  override name = 'AccountMismatch';
}
/** `If-Match` or `If-None-Match` does not hold, or the state of the thing forbids the request. */
export class Conflict extends SynclineError {
  override name = 'Conflict';
}
export class NotFound extends SynclineError {
  override name = 'NotFound';
}
/** The hub will never accept this request as it is. */
export class Refused extends SynclineError {
  override name = 'Refused';
}
/** No answer: the network, or a hub that is down or in trouble. */
export class Unreachable extends SynclineError {
  override name = 'Unreachable';
}
/** Sync cannot go on by itself, or not now. */
export class SyncStuck extends SynclineError {
  override name = 'SyncStuck';
  constructor(readonly reason: string, readonly nextTry: number | undefined, more: ErrorDetails = {}) {
    super('sync_stuck', reason, { retry: 'later', ...more });
  }
}
/** The browser gives the local copy no more room. */
export class StoreFull extends SynclineError {
  override name = 'StoreFull';
}
/** A newer version of the library wrote the local copy. Nothing was changed. */
export class StoreTooNew extends SynclineError {
  override name = 'StoreTooNew';
}
export class Timeout extends SynclineError {
  override name = 'Timeout';
}
export class Cancelled extends SynclineError {
  override name = 'Cancelled';
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The error that an answer of the hub describes. `body` is what came, problem details or not. */
export function errorOf(status: number, headers: Headers, body: string): SynclineError {
  let problem: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) problem = parsed as Record<string, unknown>;
  } catch {
    // A proxy in between answers with a page of its own; the status says enough.
  }
  const code = textOf(problem['code']) ?? `http_${status}`;
  const detail = textOf(problem['detail']) ?? textOf(problem['title']) ?? `the hub answered ${status}`;
  const more = {
    status,
    requestId: textOf(problem['request_id']) ?? headers.get('X-Request-Id') ?? undefined,
    retryAfterMs: retryAfterMs(headers),
  };
  if (status === 401) return new Unauthorized(code, detail, { ...more, retry: 'after_reauth' });
  if (status === 403) {
    const scope = /\bscope="([^"]*)"/.exec(headers.get('WWW-Authenticate') ?? '')?.[1];
    return new Forbidden(code, detail, { ...more, retry: 'after_reauth' }, scope);
  }
  if (status === 404) return new NotFound(code, detail, more);
  if (status === 409 || status === 412) return new Conflict(code, detail, more);
  if (status === 408 || status === 429 || status >= 500) {
    return new Unreachable(code, detail, { ...more, retry: 'later' });
  }
  return new Refused(code, detail, more);
}

/** RFC 9110: seconds, or a date. */
function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('Retry-After');
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
