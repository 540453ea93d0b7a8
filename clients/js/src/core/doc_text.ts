// Documents as text. JSON.parse loses `1.0`, numbers beyond 2^53, repeated keys and the order of keys like "2", so an
// answer of the hub is read with its documents cut out unparsed. `docsAsText` makes of `{"doc": {...}}` the form
// `{"doc": "{...}"}`, which hubs also send by themselves when asked with `docs=text`.

const kQuote = 34, kBackslash = 92, kOpenBrace = 123, kCloseBrace = 125, kOpenBracket = 91, kCloseBracket = 93;
const kColon = 58;

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

/** The position after the string that begins at `at`; that of the end if it does not end. */
function skipString(text: string, at: number): number {
  for (let end = at + 1; ; ++end) {
    end = text.indexOf('"', end);
    if (end < 0) return text.length;
    // Escaped if an odd number of backslashes stands before.
    let before = end - 1;
    while (text.charCodeAt(before) === kBackslash) --before;
    if ((end - before) % 2 === 1) return end + 1;
  }
}

/**
 * The position after the object that begins at `at`; that of the end if it does not end, -1 if it has more than
 * `levelsMax` levels.
 */
function skipObject(text: string, at: number, levelsMax = Infinity): number {
  let depth = 0;
  for (let i = at; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === kQuote) {
      i = skipString(text, i);
      continue;
    }
    ++i;
    if ((code === kOpenBrace || code === kOpenBracket) && ++depth > levelsMax) return -1;
    if ((code === kCloseBrace || code === kCloseBracket) && --depth === 0) return i;
  }
  return text.length;
}

/**
 * The same JSON with every object that is a member `doc` as a string of its text. Only members outside of documents
 * count. Neither `text` nor the documents need be JSON: the caller parses the result, and each document.
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
    const valueEnd = skipObject(text, next);
    parts.push(text.slice(copied, next), JSON.stringify(text.slice(next, valueEnd)));
    copied = i = valueEnd;
  }
  parts.push(text.slice(copied));
  return parts.join('');
}

const utf8 = new TextEncoder();
export const bytesOf = (text: string): number => utf8.encode(text).length;

/** Whether a text has half of a surrogate pair, which no hub takes. `json` is as JSON.stringify writes it. */
export const hasHalfPair = (json: string): boolean =>
  // Lower-case escapes; an even number of backslashes before is text.
  /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/.test(json);

/** What the hub would refuse in a document: `undefined` if nothing. */
export function faultOfDoc(text: string): string | undefined {
  if (text[0] !== '{') return 'a document must be a JSON object';
  if (hasHalfPair(text)) return 'a text has half of a surrogate pair';
  if (text.length > kDocBytesMax / 3 && bytesOf(text) > kDocBytesMax) {
    return 'the document is larger than 16 MiB';
  }
  return skipObject(text, 0, kDocDepthMax) < 0 ? 'the document has more than 64 levels' : undefined;
}

const kDocBytesMax = 16 * 1024 * 1024;
const kDocDepthMax = 64;
