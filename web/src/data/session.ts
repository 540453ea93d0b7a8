// Who is signed in. The session is in a cookie that no script can read; the hub says whose it is.
import { signal } from '@preact/signals';
import { call, Problem, renewWith } from './api';

export interface Session {
  account: string;
  role: 'admin' | 'member';
  scopes: string[];
  spaces: string[] | null;
  expires_at: string | null;
}

/** What opens a session: POST /v1/session describes it. */
export type Credential = ({ email: string; password: string } | { key: string } | { passkey: object }) & { keep?: boolean };

/** Undefined until the hub has said; null: nobody. */
export const session = signal<Session | null | undefined>(undefined);
/** True while the page waits for somebody to sign in again. */
export const isOver = signal(false);

const kOptions = { isSignIn: true };

/** Asks the hub. Null: nobody is signed in. Throws Problem if it does not answer. */
export async function findSession(): Promise<Session | null> {
  try {
    return await call<Session>('GET', '/v1/session', undefined, kOptions);
  } catch (error) {
    if (!(error instanceof Problem) || error.body.status !== 401) throw error;
    return null;
  }
}

/**
 * Throws Problem if the hub does not open a session. `onlyFor`: what waits on the page is of that account; for another
 * one the page begins anew, so that nothing is sent under the wrong name.
 */
export async function signIn(credential: Credential, onlyFor?: string): Promise<Session> {
  const opened = await call<Session>('POST', '/v1/session', { ...credential, label: browserName() }, kOptions);
  if (onlyFor === undefined || opened.account === onlyFor) return take(opened);
  location.reload();
  return new Promise(() => undefined);
}

/** From now on that session counts, and what has waited for one goes on. */
export function take(opened: Session): Session {
  session.value = opened;
  const waiting = renewal;
  renewal = undefined;
  isOver.value = false;
  waiting?.done();
  return opened;
}

/** What is shown of the session stays until forgetSession(). */
export async function signOut(): Promise<void> {
  await call('DELETE', '/v1/session', undefined, kOptions).catch((error: unknown) => {
    if (!(error instanceof Problem) || error.body.status !== 401) throw error;  // it has ended already
  });
}

export function forgetSession(): void {
  session.value = null;
}

let renewal: { done: () => void; promise: Promise<void> } | undefined;

/** All requests that meet the end of the session wait for the same sign-in. */
export function whenRenewed(): Promise<void> {
  if (!renewal) {
    const { promise, resolve } = withResolvers();
    renewal = { promise, done: resolve };
    isOver.value = true;
  }
  return renewal.promise;
}
renewWith(whenRenewed);

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => { resolve = done; });
  return { promise, resolve };
}

/** "Firefox on Linux": how the session is called in lists. */
export function browserName(agent = navigator.userAgent): string {
  const browser = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome'
    : /Safari\//.test(agent) ? 'Safari' : 'Browser';
  const system = /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Windows/.test(agent) ? 'Windows'
    : /Mac OS X/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : '';
  return system ? `${browser} on ${system}` : browser;
}
