// Who hears of what no call waits for: errors above all. Nothing is only logged.
import { messageOf, SynclineError } from '../http/errors.js';
import type { Status } from './status.js';

export interface Events {
  /** The hub does not accept the key any more. The queue is kept. */
  reauth: Status;
  /** What no call waits for. */
  error: SynclineError;
  /** An edit of this device lost to one whose author had not seen it; the hub keeps it. */
  conflict: { space: string; collection: string; id: string };
  /** The copy was removed, here or in another tab. */
  closed: undefined;
}

const kErrorEachMs = 60_000;

export class Emitter {
  readonly #listeners: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {};
  readonly #shown = new Map<string, number>();

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners: Set<typeof listener> = this.#listeners[name] ??= new Set<never>() as never;
    listeners.add(listener);
    return () => { listeners.delete(listener); };
  }
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...this.#listeners[name] ?? []]) this.invoke(listener, event);
  }
  /** What a listener throws is reported; one that is async, too. */
  invoke<T>(listener: (event: T) => unknown, event: T): void {
    try {
      Promise.resolve(listener(event)).catch(this.report);
    } catch (error) {
      this.report(error);
    }
  }
  /** Without a listener it goes to the console, once per code and minute. `code`: of what is no error of the library. */
  readonly report = (reason: unknown, code = 'program'): void => {
    const error = reason instanceof SynclineError ? reason
      : new SynclineError(code, messageOf(reason), { cause: reason });
    const listeners = [...this.#listeners.error ?? []];
    for (const listener of listeners) listener(error);
    const now = Date.now();
    if (listeners.length > 0 || now - (this.#shown.get(error.code) ?? -Infinity) < kErrorEachMs) return;
    this.#shown.set(error.code, now);
    console.error('syncline:', error);
  };
}
