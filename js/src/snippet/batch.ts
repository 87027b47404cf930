import type { Entry } from "./queue.ts";
import { bytesOf } from "./surroundings.ts";

/** As Segment's limit. Longer ones are left out, so that none can block the rest. */
export const MAX_MESSAGE_BYTES = 32_000;

export interface Limits {
  count: number;
  bytes: number;
}
export const ORDINARY: Limits = { count: 100, bytes: 480_000 };
/** What browsers send for a page that is going away: 64 KiB, with the envelope. */
export const LEAVING: Limits = { count: 100, bytes: 60_000 };

/** The first messages that fit into one request. */
export function cut(entries: Entry[], limits: Limits): Entry[] {
  let bytes = 0;
  const first = entries.slice(0, limits.count);
  const end = first.findIndex((entry) => (bytes += bytesOf(entry.text) + 1) > limits.bytes);
  return end < 0 ? first : first.slice(0, end);
}

/** The body of a request; `sentAt` lets the server correct a wrong clock. */
export function bodyOf(key: string, entries: Entry[]): string {
  const head = JSON.stringify({ writeKey: key, sentAt: new Date().toISOString() });
  return `${head.slice(0, -1)},"batch":[${entries.map((entry) => entry.text).join()}]}`;
}
