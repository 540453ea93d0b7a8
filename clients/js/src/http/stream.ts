// The event streams of a hub.
import { Deadline, parse, type Caller, type CallOptions } from './call.js';
import { errorOf, Unreachable } from './errors.js';
import { EventReader } from './events.js';
import type { Notice } from './types.js';

export interface StreamOptions extends CallOptions {
  lastEventId?: string;
  onOpen?: () => void;
}

const kLinkSilenceMs = 70_000;  // the hub says something on a quiet stream each 20 s

export const streamEvents = (caller: Caller, spaces: string[], options: StreamOptions): AsyncGenerator<Notice, never> =>
  streamFrom(caller, `/v1/events?spaces=${spaces.map(encodeURIComponent).join(',')}`, options);

/** The events of one stream, each the JSON object of its data with the event's name as `type`. */
export async function* streamFrom<T = Notice>(caller: Caller, path: string,
  options: StreamOptions): AsyncGenerator<T, never> {
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  if (options.lastEventId !== undefined) headers['Last-Event-ID'] = options.lastEventId;
  let deadline = new Deadline(options, options.timeoutMs ?? kLinkSilenceMs);
  // The connection lives longer than one deadline: each piece has one of its own.
  const link = new AbortController();
  const whole = { signal: link.signal };
  let body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const connection = new Deadline(whole, Number.MAX_SAFE_INTEGER);
  try {
    const response = await deadline.race(caller.open({ method: 'GET', path, headers }, connection));
    if (!response.ok || response.body === null) {
      throw errorOf(response.status, response.headers, await deadline.race(response.text()));
    }
    options.onOpen?.();
    body = response.body.getReader();
    const reader = new EventReader();
    for (;;) {
      deadline.release();
      deadline = new Deadline(options, kLinkSilenceMs);
      const piece = await deadline.race(body.read()).catch((error: unknown) => {
        if (deadline.signal.aborted) throw error;
        throw new Unreachable('unreachable', 'the stream broke', { retry: 'later', cause: error });
      });
      if (piece.done) throw new Unreachable('unreachable', 'the stream ended', { retry: 'later' });
      for (const { event, id, data } of reader.add(piece.value)) {
        yield { ...parse<object>(data), type: event, id } as T;
      }
    }
  } finally {
    deadline.release();
    link.abort();
    connection.release();
    await body?.cancel().catch(() => undefined);  // the connection is gone: nothing is left to cancel
  }
}
