// Server-Sent Events from a stream of bytes (WHATWG HTML 9.2.6), as far as hubs use them.

export interface ServerEvent {
  event: string;
  id: string;
  data: string;
}

/** More of one event than a notice ever has: the stream is not one of a hub. */
const kEventLengthMax = 64 * 1024;

export class EventReader {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #id = '';
  #event = '';
  #data: string[] = [];

  /** The events that these bytes complete. */
  add(bytes: Uint8Array): ServerEvent[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const events: ServerEvent[] = [];
    for (;;) {
      const end = /\r\n|\n|\r(?=[^])/.exec(this.#rest);
      if (end === null) break;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      this.#line(line, events);
    }
    if (this.#rest.length > kEventLengthMax) throw new RangeError('an event is too long');
    return events;
  }

  #line(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) {
        events.push({ event: this.#event || 'message', id: this.#id, data: this.#data.join('\n') });
      }
      this.#event = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    if (name === 'id') this.#id = value;
    if (name === 'data') this.#data.push(value);
  }
}
