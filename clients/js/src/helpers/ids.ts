// Ids and times as hub, node and the published clients write them.
import { randomId } from '../http/call.js';

/** UUIDv7 (RFC 9562): sorts by the time at which it was made. */
export function uuid7(ms = Date.now()): string {
  const time = ms.toString(16).padStart(12, '0');
  const random = randomId();
  const variant = '89ab'[Number.parseInt(random[3] as string, 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

/** RFC 3339 with six digits: what the hub stores, so that its answer is no change. */
export const timeText = (date: Date): string => date.toISOString().replace('Z', '000Z');
