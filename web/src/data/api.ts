// Requests to the hub. Errors are problem documents (RFC 9457) as the hub sends them, or one of ours if it does not
// answer. A request that meets the end of the session waits until somebody has signed in again, and is then repeated.
import { noteAnswer, noteSilence } from './connection';
import { t } from '../text';

export interface ProblemBody {
  status: number;
  code: string;
  title: string;
  detail: string;
  request_id?: string;
  retry_after?: number;
  errors?: { pointer: string; detail: string }[];
}

export class Problem extends Error {
  constructor(readonly body: ProblemBody) {
    super(body.detail);
  }
  get isUnreachable(): boolean {
    return this.body.code === kUnreachable;
  }
}

const kUnreachable = 'unreachable';
const kTimeoutMs = 20_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface CallOptions {
  signal?: AbortSignal;
  /** For requests that open sessions: a 401 is an answer, and not the end of a session. */
  isSignIn?: boolean;
}

/** How a session that has ended is renewed; set by data/session.ts. Rejects if it is not. */
let renew: () => Promise<void> = () => Promise.reject(new Error('nobody can sign in yet'));
export function renewWith(how: () => Promise<void>): void {
  renew = how;
}

const unreachable = (): Problem => new Problem({ status: 0, code: kUnreachable, title: t.offline.unreachable,
  detail: t.offline.unreachableDetail });

async function problemIn(answer: Response): Promise<Problem> {
  const type = answer.headers.get('Content-Type') ?? '';
  const said = type.includes('json') ? await answer.json().catch(() => ({})) as Partial<ProblemBody> : {};
  const retryAfter = Number(answer.headers.get('Retry-After'));
  return new Problem({ code: `http_${answer.status}`, title: answer.statusText || String(answer.status),
    detail: answer.statusText, ...(retryAfter > 0 ? { retry_after: retryAfter } : {}), ...said, status: answer.status,
    request_id: said.request_id ?? answer.headers.get('X-Request-Id') ?? '' });
}

async function send(method: Method, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const timeout = AbortSignal.timeout(kTimeoutMs);
  try {
    const answer = await fetch(path, { method, cache: 'no-store',
      ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    noteAnswer();
    return answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    noteSilence();
    throw unreachable();
  }
}

/** The parsed body; undefined for 204. Throws Problem, or the AbortError of `signal`. */
export async function call<T = void>(method: Method, path: string, body?: unknown, options: CallOptions = {}): Promise<T> {
  let answer = await send(method, path, body, options.signal);
  if (answer.status === 401 && !options.isSignIn) {
    await renew();
    answer = await send(method, path, body, options.signal);
  }
  if (!answer.ok) throw await problemIn(answer);
  if (answer.status === 204) return undefined as T;
  try {
    return await answer.json() as T;
  } catch {
    throw unreachable();  // the connection broke in the middle
  }
}
