// Documents as text. JSON.parse loses `1.0`, numbers beyond 2^53, repeated keys and the order of keys like "2", so an
// answer of the hub is read with its documents cut out unparsed. `docsAsText` makes of `{"doc": {...}}` the form
// `{"doc": "{...}"}`, which hubs also send by themselves when asked with `docs=text`.

const kQuote = 34, kBackslash = 92, kOpenBrace = 123, kCloseBrace = 125, kOpenBracket = 91, kCloseBracket = 93;
const kColon = 58;

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

/** The position after the string that begins at `at`. */
function skipString(text: string, at: number): number {
  for (let end = at + 1; ; ++end) {
    end = text.indexOf('"', end);
    if (end < 0) throw new SyntaxError('a string does not end');
    // Escaped if an odd number of backslashes stands before.
    let before = end - 1;
    while (text.charCodeAt(before) === kBackslash) --before;
    if ((end - before) % 2 === 1) return end + 1;
  }
}

/** The position after the value that begins at `at`. */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === kQuote) return skipString(text, at);
  if (first !== kOpenBrace && first !== kOpenBracket) {
    let end = at;
    while (end < text.length && !',]} \n\r\t'.includes(text[end] as string)) ++end;
    return end;
  }
  let depth = 0;
  for (let i = at; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === kQuote) {
      i = skipString(text, i);
      continue;
    }
    ++i;
    if (code === kOpenBrace || code === kOpenBracket) ++depth;
    if ((code === kCloseBrace || code === kCloseBracket) && --depth === 0) return i;
  }
  throw new SyntaxError('a value does not end');
}

/**
 * The same JSON with every object that is a member `doc` as a string of its text. Only members outside of documents
 * count. Each document is checked to be JSON by the caller's first use of it, the rest by parsing the result.
 */
export function docsAsText(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code !== kQuote) {
      ++i;
      continue;
    }
    const end = skipString(text, i);
    let next = end;
    while (isSpace(text.charCodeAt(next))) ++next;
    const isKey = text.charCodeAt(next) === kColon;
    // Short names with an escape could be "doc" too.
    const isDoc = isKey && end - i <= 20 && JSON.parse(text.slice(i, end)) === 'doc';
    i = end;
    if (!isDoc) continue;
    ++next;
    while (isSpace(text.charCodeAt(next))) ++next;
    if (text.charCodeAt(next) !== kOpenBrace) continue;
    const valueEnd = skipValue(text, next);
    parts.push(text.slice(copied, next), JSON.stringify(text.slice(next, valueEnd)));
    copied = i = valueEnd;
  }
  parts.push(text.slice(copied));
  return parts.join('');
}

/** What the hub would refuse in a document: `undefined` if nothing. */
export function faultOfDoc(text: string): string | undefined {
  if (text[0] !== '{') return 'a document must be a JSON object';
  // JSON.stringify writes lone surrogates as lower-case escapes; an even number of backslashes before is text.
  if (/(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/.test(text)) return 'a text has half of a surrogate pair';
  if (text.length > kDocBytesMax / 3 && new TextEncoder().encode(text).length > kDocBytesMax) {
    return 'the document is larger than 16 MiB';
  }
  let depth = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === kQuote) {
      i = skipString(text, i);
      continue;
    }
    ++i;
    if ((code === kOpenBrace || code === kOpenBracket) && ++depth > kDocDepthMax) {
      return 'the document has more than 64 levels';
    }
    if (code === kCloseBrace || code === kCloseBracket) --depth;
  }
  return undefined;
}

const kDocBytesMax = 16 * 1024 * 1024;
const kDocDepthMax = 64;
