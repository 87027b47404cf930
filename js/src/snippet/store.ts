import type { Win } from "./surroundings.ts";

/** All that is kept in the browser begins with this. */
export const PREFIX = "perennial:";
const CONSENT = `${PREFIX}consent`;

/**
 * Names and texts, in localStorage once `attach` was called and it can be used,
 * else in memory. A text that does not fit stays in memory and is the newer one.
 */
export interface Store {
  get(name: string): string | null;
  set(name: string, text: string): void;
  remove(name: string): void;
  /** Names with this beginning, sorted. */
  names(beginning: string): string[];
  /** From now on in localStorage: what was kept in memory so far moves there. */
  attach(): void;
  /** Forgets everything but the consent, and keeps nothing until attached again. */
  clear(): void;
  /** Apart from the rest: it has to be known before anything may be kept. */
  consent(): string | null;
  setConsent(text: string): void;
}

export function makeStore(win: Win): Store {
  const memory = new Map<string, string>();
  let isAttached = false;
  let consent: string | null = null;

  /** Runs `work` on localStorage; undefined where it is denied, full or off. */
  function onDisk<T>(work: (disk: Storage) => T): T | undefined {
    try {
      return work(win.localStorage);
    } catch {
      return undefined;
    }
  }

  function write(name: string, text: string): boolean {
    return onDisk((disk) => (disk.setItem(PREFIX + name, text), true)) === true;
  }

  function onDiskNames(beginning: string): string[] {
    const all = onDisk((disk) => Object.keys(disk)) || [];
    return all.filter((name) => name.startsWith(PREFIX + beginning));
  }

  function get(name: string): string | null {
    const text = memory.get(name);
    if (text !== undefined) return text;
    return (isAttached && onDisk((disk) => disk.getItem(PREFIX + name))) || null;
  }

  function set(name: string, text: string): void {
    if (isAttached && write(name, text)) memory.delete(name);
    else memory.set(name, text);
  }

  function remove(name: string): void {
    memory.delete(name);
    if (isAttached) onDisk((disk) => disk.removeItem(PREFIX + name));
  }

  function names(beginning: string): string[] {
    const found = new Set([...memory.keys()].filter((name) => name.startsWith(beginning)));
    if (isAttached)
      for (const name of onDiskNames(beginning)) found.add(name.slice(PREFIX.length));
    return [...found].sort();
  }

  function attach(): void {
    if (isAttached) return;
    isAttached = true;
    for (const [name, text] of [...memory]) {
      memory.delete(name);
      // Another tab may have become somebody meanwhile: the browser is one person.
      if (get(name) === null) set(name, text);
    }
  }

  function clear(): void {
    isAttached = false;
    memory.clear();
    for (const name of onDiskNames(""))
      if (name !== CONSENT) onDisk((disk) => disk.removeItem(name));
  }

  return {
    get,
    set,
    remove,
    names,
    attach,
    clear,
    consent: () => onDisk((disk) => disk.getItem(CONSENT)) || consent,
    setConsent: (text) => {
      consent = text;
      onDisk((disk) => disk.setItem(CONSENT, text));
    },
  };
}
