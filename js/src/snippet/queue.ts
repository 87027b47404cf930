import type { Store } from "./store.ts";
import { bytesOf } from "./surroundings.ts";

/** Beyond either the oldest messages go: the storage belongs to the page. */
export const MAX_WAITING = 1_000;
export const MAX_WAITING_CHARS = 1_000_000;

export interface Entry {
  name: string;
  text: string;
}

/**
 * Messages that wait, one entry of the store each: tabs add and remove without
 * reading first, so none can lose what another one wrote.
 */
export interface Queue {
  add(messageId: string, text: string): void;
  /** All that wait, of every tab, oldest first. */
  list(): Entry[];
  remove(entries: Entry[]): void;
  isMine(entry: Entry): boolean;
  /** How many of this tab wait, and their bytes. */
  mine(): { count: number; bytes: number };
  clear(): void;
}

export function makeQueue(store: Store, key: string): Queue {
  const beginning = `queue:${key}:`;
  const own = new Map<string, number>();
  let last = 0;
  // As of the last listing, and what this tab added since.
  let count = 0;
  let chars = 0;

  function add(messageId: string, text: string): void {
    // Names sort by time; in a tab the order is kept whatever the clock does.
    last = Math.max(Date.now(), last + 1);
    const name = `${beginning}${String(last).padStart(15, "0")}:${messageId}`;
    store.set(name, text);
    own.set(name, bytesOf(text));
    count += 1;
    chars += text.length;
    if (count > MAX_WAITING || chars > MAX_WAITING_CHARS) trim();
  }

  function list(): Entry[] {
    const entries = store
      .names(beginning)
      .map((name) => ({ name, text: store.get(name) || "" }))
      .filter((entry) => entry.text);
    count = entries.length;
    chars = entries.reduce((sum, entry) => sum + entry.text.length, 0);
    const waiting = new Set(entries.map((entry) => entry.name));
    for (const name of [...own.keys()]) if (!waiting.has(name)) own.delete(name);
    return entries;
  }

  /** To a tenth below the bounds: a busy page offline must not sort at every call. */
  function trim(): void {
    for (const oldest of list()) {
      if (count <= MAX_WAITING * 0.9 && chars <= MAX_WAITING_CHARS * 0.9) return;
      remove([oldest]);
    }
  }

  function remove(entries: Entry[]): void {
    for (const { name, text } of entries) {
      store.remove(name);
      own.delete(name);
      count -= 1;
      chars -= text.length;
    }
  }

  return {
    add,
    list,
    remove,
    isMine: (entry) => own.has(entry.name),
    mine: () => ({ count: own.size, bytes: [...own.values()].reduce((a, b) => a + b, 0) }),
    clear: () => own.clear(),
  };
}
