import { expect, test } from 'vitest';
import { fromBase64Url, obstacle, toBase64Url } from './passkey';

test('bytes survive base64url', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const length of [0, 1, 2, 3, 256]) {
    const part = bytes.slice(0, length);
    expect(toBase64Url(part.buffer)).toMatch(/^[\w-]*$/);
    expect(fromBase64Url(toBase64Url(part.buffer))).toEqual(part);
  }
});

test.each([
  ['hub.example.org', true, true, undefined], ['127.0.0.1', true, true, 'needsName'], ['[::1]', true, true, 'needsName'],
  ['hub.lan', false, true, 'needsHttps'], ['localhost', true, false, 'unsupported'],
])('at %s (secure: %s, supported: %s): %s', (hostname, isSecure, hasPasskeys, expected) => {
  expect(obstacle({ hostname, isSecure, hasPasskeys })).toBe(expected);
});
