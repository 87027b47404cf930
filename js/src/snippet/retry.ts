import type { Store } from "./store.ts";

export const FIRST_PAUSE_MS = 1_000;
export const LONGEST_PAUSE_MS = 300_000;

/** What a request came to; status 0 is a server that was not reached. */
export interface Answer {
  status: number;
  retryAfter?: string | null;
}

/** Anything else is done with: taken by the server, or refused for good. */
export function isRetried({ status }: Answer): boolean {
  return status === 0 || status === 429 || status >= 500;
}

/** Doubles up to five minutes; half of it is chance, so clients do not come as one. */
export function pauseMs(failures: number, chance: number): number {
  const full = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  return full * (0.5 + chance / 2);
}

/** What Retry-After asks for, in seconds or as a date; null without one. */
export function toldMs(header: string | null | undefined): number | null {
  if (!header) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return ms >= 0 ? Math.min(ms, LONGEST_PAUSE_MS) : null;
}

/** The pause after a failure; in the store, as pages come and go while it lasts. */
export interface Pause {
  left(): number;
  /** The server asked for it, so not even a leaving page sends. */
  isTold(): boolean;
  note(answer: Answer): void;
  clear(): void;
}

export function makePause(store: Store, key: string): Pause {
  const name = `pause:${key}`;

  function read(): [until: number, failures: number, isTold: number] {
    const [until = 0, failures = 0, told = 0] = (store.get(name) || "").split(" ").map(Number);
    return [until, failures, told];
  }

  function left(): number {
    const ms = read()[0] - Date.now();
    // Longer than any pause: the clock was set back.
    return ms > 0 && ms <= LONGEST_PAUSE_MS * 1.1 ? ms : 0;
  }

  function note(answer: Answer): void {
    const failures = read()[1];
    const told = toldMs(answer.retryAfter);
    const spread = 1 + Math.random() / 10;
    const ms = told === null ? pauseMs(failures, Math.random()) : told * spread;
    store.set(name, [Date.now() + ms, failures + 1, told === null ? 0 : 1].join(" "));
  }

  return {
    left,
    isTold: () => left() > 0 && read()[2] === 1,
    note,
    clear: () => store.remove(name),
  };
}
