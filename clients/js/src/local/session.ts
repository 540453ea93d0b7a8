// The hub as this copy knows it: its address, and a key that was checked to belong to the account of the copy. Nothing
// is sent with a key before that.
import { Caller, Deadline, type CallOptions, type Key, type Request } from '../http/call.js';
import { AccountMismatch, Unauthorized } from '../http/errors.js';
import type { Me } from '../http/types.js';

const kTimeoutMs = 30_000;
/** Hubs from this number on send documents as texts when asked. */
const kApiWithDocsAsText = 2;

export class Session {
  #key: Key;
  #token: string | undefined;
  #checking: Promise<string> | undefined;
  readonly #end = new AbortController();
  /** Known once a key was checked. */
  hasDocsAsText = false;

  /** `admit` throws AccountMismatch for the account of another copy. */
  constructor(readonly url: string, key: Key, private readonly admit: (account: string) => Promise<void>,
    private readonly fetch: typeof globalThis.fetch | undefined) {
    this.#key = key;
  }

  /** Takes the key, unless it is one of another account or the hub refuses it. */
  async setKey(key: Key, options: CallOptions): Promise<void> {
    const deadline = new Deadline(options, options.timeoutMs ?? kTimeoutMs);
    try {
      const token = await deadline.race(this.#caller(key).key().then((one) => this.#check(one)));
      this.#key = key;
      this.#token = token;
    } finally {
      deadline.release();
    }
  }
  close(): void {
    this.#end.abort();
  }
  /** Takes the key; it is checked before the next use. */
  setKeyUnchecked(key: Key): void {
    this.#key = key;
    this.#token = undefined;
  }

  /** The text of the answer. A key function is asked again once if the hub refuses the key. */
  async call(request: Request, options: CallOptions): Promise<string> {
    const token = await this.#checked();
    try {
      return (await this.#caller(token).call(request, options)).text;
    } catch (error) {
      if (!(error instanceof Unauthorized) || typeof this.#key !== 'function') throw error;
      if (this.#token === token) this.#token = undefined;
      const again = await this.#checked();
      if (again === token) throw error;
      return (await this.#caller(again).call(request, options)).text;
    }
  }
  /** For calls of other kinds. */
  async caller(): Promise<Caller> {
    return this.#caller(await this.#checked());
  }

  #caller(key: Key): Caller {
    return new Caller({ url: this.url, key, fetch: this.fetch });
  }
  async #checked(): Promise<string> {
    if (this.#token !== undefined) return this.#token;
    const key = this.#key;
    // Several calls check it once, so none of them may end the check.
    this.#checking ??= this.#caller(key).key().then((token) => this.#check(token))
      .finally(() => { this.#checking = undefined; });
    const token = await this.#checking;
    if (key === this.#key) this.#token = token;
    return token;
  }
  async #check(token: string): Promise<string> {
    const request: Request = { method: 'GET', path: '/v1/me', repeats: false };
    const me = await this.#caller(token).json<Me>(request, { signal: this.#end.signal, timeoutMs: kTimeoutMs });
    if (typeof me.account !== 'string') {
      throw new AccountMismatch('account_mismatch', 'the hub names no account');
    }
    await this.admit(me.account);
    this.hasDocsAsText = (me.api ?? 0) >= kApiWithDocsAsText;
    return token;
  }
}
