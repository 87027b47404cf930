import { LEAVING, ORDINARY, bodyOf, cut } from "./batch.ts";
import type { Entry, Queue } from "./queue.ts";
import { isRetried, type Answer, type Pause } from "./retry.ts";
import type { Store } from "./store.ts";
import { safely, type Options, type Win } from "./surroundings.ts";
import { takeTurn } from "./turns.ts";

/** Sent after this long, or at once when so many messages or bytes wait. */
export const WAIT_MS = 2_000;
export const FULL_COUNT = 20;
const TIMEOUT_MS = 30_000;

export interface Sender {
  /** A message was added: sends soon, or at once when a batch is full. */
  wake(): void;
  flush(): void;
  /** The network is back: a pause that only we chose is over. */
  back(): void;
  /** The page gets hidden or goes away: sends now, what this tab has. */
  leave(isForEver: boolean): void;
}

export function makeSender(
  win: Win,
  { host, key }: Options,
  store: Store,
  queue: Queue,
  pause: Pause,
  isOpen: () => boolean,
): Sender {
  const url = `${host}/v1/batch`;
  const onTheWay = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBusy = false;

  function wake(): void {
    const { count, bytes } = queue.mine();
    if (count >= FULL_COUNT || bytes >= LEAVING.bytes) flush();
    else schedule(WAIT_MS);
  }

  function schedule(ms: number): void {
    if (timer === undefined && isOpen()) timer = setTimeout(safely(flush), ms);
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (isBusy || !isOpen() || isOffline()) return;
    if (pause.left() > 0) return schedule(pause.left());
    isBusy = true;
    void takeTurn(win, store, key, drain).then(rest, rest);
  }

  /** The event "online" wakes us; a try would only be noise in the console. */
  function isOffline(): boolean {
    return win.navigator.onLine === false;
  }

  function rest(): void {
    isBusy = false;
    if (isOpen() && queue.list().length > 0) schedule(pause.left() || WAIT_MS);
  }

  async function drain(): Promise<void> {
    let before: string | undefined;
    for (;;) {
      const entries = isOpen() ? cut(queue.list(), ORDINARY) : [];
      const first = entries[0]?.name;
      // The same again: a store that does not forget must not make us send for ever.
      if (first === undefined || first === before) return;
      before = first;
      if (!(await deliver(entries))) return;
    }
  }

  /** True when the server is done with them; else a pause has begun. */
  async function deliver(entries: Entry[]): Promise<boolean> {
    for (const { name } of entries) onTheWay.add(name);
    const answer = await post(bodyOf(key, entries), entries);
    for (const { name } of entries) onTheWay.delete(name);
    if (!isOpen()) return false;
    if (isRetried(answer)) {
      pause.note(answer);
      return false;
    }
    pause.clear();
    queue.remove(entries);
    return true;
  }

  async function post(body: string, entries: Entry[]): Promise<Answer> {
    let limit: ReturnType<typeof setTimeout> | undefined;
    try {
      const abort = new AbortController();
      limit = setTimeout(() => abort.abort(), TIMEOUT_MS);
      const response = await win.fetch(url, {
        method: "POST",
        // Plain text needs no preflight.
        headers: { "Content-Type": "text/plain;charset=UTF-8" },
        body,
        credentials: "omit",
        keepalive: cut(entries, LEAVING).length === entries.length,
        signal: abort.signal,
      });
      return { status: response.status, retryAfter: response.headers.get("Retry-After") };
    } catch {
      return { status: 0 };
    } finally {
      clearTimeout(limit);
    }
  }

  function leave(isForEver: boolean): void {
    if (!isOpen() || isOffline() || pause.isTold()) return;
    const mine = queue.list().filter((entry) => queue.isMine(entry) && !onTheWay.has(entry.name));
    const entries = cut(mine, LEAVING);
    if (entries.length === 0 || (isForEver && beacon(entries))) return;
    void deliver(entries);
  }

  /** Survives the page better than a request, but answers nothing: what it took stays
   * in the store, is sent once more by the next page, and taken once by the server. */
  function beacon(entries: Entry[]): boolean {
    const { navigator } = win;
    if (!navigator.sendBeacon?.(url, bodyOf(key, entries))) return false;
    for (const { name } of entries) onTheWay.add(name);
    return true;
  }

  function back(): void {
    if (!pause.isTold()) pause.clear();
    flush();
  }

  return { wake, flush, back, leave };
}
