// Assertions that run in a browser too.
const text = (value) => JSON.stringify(value, (_, one) => (one === undefined ? '(undefined)' : one));

export function equal(actual, expected, what = '') {
  if (text(actual) !== text(expected)) throw new Error(`${what} expected ${text(expected)}, got ${text(actual)}`);
}
export function ok(condition, what = 'the condition') {
  if (!condition) throw new Error(`${what} does not hold`);
}
export async function rejects(promise, name) {
  const error = await promise.then(() => undefined, (reason) => reason);
  if (error === undefined) throw new Error(`no ${name} was thrown`);
  if (error.name !== name && error.message !== name) throw new Error(`${name} expected, got ${error}`);
  return error;
}
