// Requests: errors as the hub says them, and what happens when the session ends or the hub is silent.
import { beforeEach, expect, test, vi } from 'vitest';

Object.assign(globalThis, { document: { visibilityState: 'visible', addEventListener: () => undefined } });
const { call, Problem, renewWith } = await import('./api');
const { silence } = await import('./connection');

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/problem+json', ...headers } });

let answers: (() => Promise<Response>)[] = [];
const fetched = vi.fn((_path: string, _options: RequestInit) => answers.shift()!());
beforeEach(() => {
  vi.useFakeTimers();
  fetched.mockClear();
  vi.stubGlobal('fetch', fetched);
  renewWith(() => Promise.reject(new Error('not asked for')));
});

const failure = (promise: Promise<unknown>) => promise.then(() => { throw new Error('it went through'); }, (error: unknown) => error as InstanceType<typeof Problem>);

test('an error has what the hub says', async () => {
  answers = [async () => json(409, { code: 'conflict', title: 'Conflict', detail: 'it exists', request_id: 'r1' })];
  const { body } = await failure(call('GET', '/v1/x'));
  expect(body).toMatchObject({ status: 409, code: 'conflict', detail: 'it exists', request_id: 'r1' });
});

test('an error of a proxy, in no form of ours, is an error', async () => {
  answers = [async () => new Response('<html>', { status: 502, headers: { 'Content-Type': 'text/html' } })];
  expect((await failure(call('GET', '/v1/x'))).body).toMatchObject({ status: 502, code: 'http_502' });
});

test('the time to wait comes from the body, or from the header', async () => {
  answers = [async () => json(429, { retry_after: 7 }), async () => json(429, {}, { 'Retry-After': '9' })];
  expect((await failure(call('GET', '/v1/x'))).body.retry_after).toBe(7);
  expect((await failure(call('GET', '/v1/x'))).body.retry_after).toBe(9);
});

test('a request that meets the end of the session is sent again after the next sign-in, as it was', async () => {
  answers = [async () => json(401, { code: 'unauthorized' }), async () => json(200, { ok: true })];
  const renewed = vi.fn(async () => undefined);
  renewWith(renewed);
  expect(await call('PUT', '/v1/x', { text: 'typed' })).toEqual({ ok: true });
  expect(renewed).toHaveBeenCalledOnce();
  expect(fetched.mock.calls.map(([, options]) => options.body)).toEqual(['{"text":"typed"}', '{"text":"typed"}']);
});

test('a wrong password is an answer, and ends no session', async () => {
  answers = [async () => json(401, { code: 'unauthorized' })];
  expect((await failure(call('POST', '/v1/session', {}, { isSignIn: true }))).body.status).toBe(401);
});

test('a hub that does not answer is silent until it does', async () => {
  answers = [() => Promise.reject(new TypeError('refused')), async () => json(200, {})];
  expect((await failure(call('GET', '/v1/x'))).isUnreachable).toBe(true);
  expect(silence.value).not.toBeNull();
  await call('GET', '/v1/x');
  expect(silence.value).toBeNull();
});

test('a request that nobody waits for any more says nothing of the hub', async () => {
  const aborter = new AbortController();
  answers = [() => { aborter.abort(); return Promise.reject(aborter.signal.reason); }];
  await expect(call('GET', '/v1/x', undefined, { signal: aborter.signal })).rejects.toThrow(/abort/i);
  expect(silence.value).toBeNull();
});
