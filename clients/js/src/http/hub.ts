// The calls of /v1, typed. Nothing is kept: what a call needs is in its arguments.
import { Caller, parse, type CallerSettings, type CallOptions, type Request } from './call.js';
import { streamEvents, type StreamOptions } from './stream.js';
import type {
  CollectionInfo, Doc, HubConflict, HubRecord, KeyInfo, Me, NewKey, Notice, Op, OpResult, Page, SpaceInfo, Version,
} from './types.js';

export interface IdempotentOptions extends CallOptions {
  /** Made for each call; give your own to repeat a call safely after a restart of the program. */
  idempotencyKey?: string | undefined;
}
export interface PushOptions extends IdempotentOptions {
  /** The history that the `base` numbers belong to: the part of a cursor before the dot. */
  epoch?: string | undefined;
  /** The newest cursor that this program has received. */
  known?: string | undefined;
  quiet?: boolean;
}
export interface ChangesOptions extends CallOptions {
  since?: string;
  limit?: number;
  /** Seconds to wait for a change if there is none. */
  wait?: number;
  collections?: string[];
  known?: string;
}
export interface WriteOptions extends CallOptions {
  /** An ETag: only if the record is still that version. */
  ifMatch?: string;
  /** `*`: only if there is no such record. */
  ifNoneMatch?: string;
}

type Parameters = Record<string, string | number | undefined>;

function query(parameters: Parameters): string {
  const parts = Object.entries(parameters).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value as string | number)}`);
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

const idempotent = (options: IdempotentOptions): Record<string, string> =>
  options.idempotencyKey === undefined ? {} : { 'Idempotency-Key': `"${options.idempotencyKey}"` };

function preconditions(options: WriteOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  if (options.ifMatch !== undefined) headers['If-Match'] = options.ifMatch;
  if (options.ifNoneMatch !== undefined) headers['If-None-Match'] = options.ifNoneMatch;
  return headers;
}

export class Hub {
  readonly caller: Caller;

  constructor(settings: CallerSettings) {
    this.caller = new Caller(settings);
  }

  me(options?: CallOptions): Promise<Me> {
    return this.#get('/v1/me', options);
  }
  async spaces(options?: CallOptions): Promise<SpaceInfo[]> {
    return (await this.#get<{ spaces: SpaceInfo[] }>('/v1/spaces', options)).spaces;
  }
  space(name: string): HubSpace {
    return new HubSpace(this.caller, name);
  }

  async keys(options?: CallOptions): Promise<KeyInfo[]> {
    return (await this.#get<{ keys: KeyInfo[] }>('/v1/keys', options)).keys;
  }
  /** `key`, the token, is shown once. */
  createKey(key: NewKey, options: IdempotentOptions = {}): Promise<KeyInfo & { key: string }> {
    return this.caller.json(
      { method: 'POST', path: '/v1/keys', body: JSON.stringify(key), headers: idempotent(options) }, options);
  }
  async revokeKey(id: string, options?: CallOptions): Promise<void> {
    await this.caller.call({ method: 'DELETE', path: `/v1/keys/${encodeURIComponent(id)}` }, options);
  }

  /** Any other call of the hub: the answer as JSON, with the same errors, deadlines and repeats. */
  request<T>(method: Request['method'], path: string, body?: unknown, options: IdempotentOptions = {}): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return this.caller.json<T>({ method, path, body: text, headers: idempotent(options) }, options);
  }

  /**
   * Notices of changes as they happen. Ends with an error when the connection ends or falls silent; `lastEventId`
   * resumes. `onOpen` is called once the hub has accepted the stream; `timeoutMs` is the time for that.
   */
  events(spaces: string[], options: StreamOptions = {}): AsyncGenerator<Notice, never> {
    return streamEvents(this.caller, spaces, options);
  }

  #get<T>(path: string, options?: CallOptions): Promise<T> {
    return this.caller.json<T>({ method: 'GET', path }, options);
  }
}

export class HubSpace {
  readonly #caller: Caller;
  readonly #path: string;

  constructor(caller: Caller, readonly name: string) {
    this.#caller = caller;
    this.#path = `/v1/spaces/${encodeURIComponent(name)}`;
  }

  push<T = Doc>(ops: Op<T>[], options: PushOptions = {}): Promise<{ cursor: string; results: OpResult<T>[] }> {
    const { epoch, known, quiet } = options;
    return this.#caller.json({
      method: 'POST',
      path: `${this.#path}/push${quiet ? '?quiet=1' : ''}`,
      body: JSON.stringify({ epoch, known, ops }),
      headers: idempotent(options),
    }, options);
  }
  /** By name. Takes as long for a million records as for ten. */
  async collections(options?: CallOptions): Promise<CollectionInfo[]> {
    return (await this.#get<{ collections: CollectionInfo[] }>('/collections', options)).collections;
  }
  changes<T = Doc>(options: ChangesOptions = {}): Promise<Page<T>> {
    const { since, limit, wait, collections, known } = options;
    return this.#get(`/changes${query({ since: since ?? '0', limit, wait, collections: collections?.join(','), known })}`,
      options);
  }
  /** Live records by id. `after` of the answer is for the next page, and null on the last one. */
  list<T = Doc>(collection: string, options: CallOptions & { after?: string; limit?: number } = {},
  ): Promise<{ records: HubRecord<T>[]; after: string | null }> {
    const { after, limit } = options;
    return this.#get(`/records/${encodeURIComponent(collection)}${query({ after, limit })}`, options);
  }
  async get<T = Doc>(collection: string, id: string, options?: CallOptions): Promise<HubRecord<T>> {
    return this.#record({ method: 'GET', path: this.#pathOf(collection, id) }, options);
  }
  put<T = Doc>(collection: string, id: string, doc: T, options: WriteOptions = {}): Promise<HubRecord<T>> {
    return this.#record({
      method: 'PUT',
      path: this.#pathOf(collection, id),
      body: JSON.stringify(doc),
      headers: preconditions(options),
    }, options);
  }
  async delete(collection: string, id: string, options: WriteOptions = {}): Promise<void> {
    await this.#caller.call(
      { method: 'DELETE', path: this.#pathOf(collection, id), headers: preconditions(options) }, options);
  }
  async history<T = Doc>(collection: string, id: string, options?: CallOptions): Promise<Version<T>[]> {
    return (await this.#get<{ versions: Version<T>[] }>(
      `${this.#pathOf(collection, id).slice(this.#path.length)}/history`, options)).versions;
  }
  async conflicts<T = Doc>(options: CallOptions & { state?: string; after?: string; limit?: number } = {},
  ): Promise<HubConflict<T>[]> {
    const { state, after, limit } = options;
    return (await this.#get<{ conflicts: HubConflict<T>[] }>(`/conflicts${query({ state, after, limit })}`, options))
      .conflicts;
  }
  /** `restore` writes the losing version as a new one. */
  async resolve(id: string | number, action: 'restore' | 'dismiss', options: IdempotentOptions = {}): Promise<void> {
    await this.#caller.call({
      method: 'POST',
      path: `${this.#path}/conflicts/${encodeURIComponent(id)}`,
      body: JSON.stringify({ action }),
      headers: idempotent(options),
    }, options);
  }

  #pathOf(collection: string, id: string): string {
    return `${this.#path}/records/${encodeURIComponent(collection)}/${encodeURIComponent(id)}`;
  }
  async #record<T>(request: Request, options?: CallOptions): Promise<HubRecord<T>> {
    const answer = await this.#caller.call(request, options);
    const etag = answer.headers.get('ETag');
    return { ...parse<HubRecord<T>>(answer.text), ...(etag === null ? {} : { etag }) };
  }
  #get<T>(path: string, options?: CallOptions): Promise<T> {
    return this.#caller.json<T>({ method: 'GET', path: this.#path + path }, options);
  }
}
