/** The window of the page, which tests replace by a small fake. */
export type Win = Window & typeof globalThis;

export type Fields = Record<string, unknown>;

/** Settings of one installation, from `load` or from the script tag. */
export interface Options {
  key: string;
  host: string;
  consent?: "required" | undefined;
  pages?: boolean | undefined;
  sessions?: boolean | undefined;
  show?: boolean | undefined;
}

/** Nothing of ours is ever thrown into the page. */
export function safely<A extends unknown[]>(work: (...args: A) => unknown): (...args: A) => void {
  return (...args) => {
    try {
      work(...args);
    } catch {
      // An event less is better than a broken page.
    }
  };
}

export function listen(target: EventTarget, type: string, work: (event: Event) => unknown): void {
  target.addEventListener(type, safely(work), { passive: true });
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A random id. `randomUUID` exists on secure pages only. */
export function uuid(win: Win): string {
  const crypto = win.crypto;
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 15) | 64;
  bytes[8] = (bytes[8]! & 63) | 128;
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
