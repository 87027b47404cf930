import type { Store } from "./store.ts";
import type { Win } from "./surroundings.ts";

/** A little longer than a request may take. */
export const LEASE_MS = 35_000;

export type Work = () => Promise<void>;

/**
 * Runs `work` unless another tab is at the same: by a lock of the browser, or, where
 * there is none (plain http, sandboxed frames), by a lease in the store. Two tabs at
 * once would only send twice what the server takes once.
 */
export async function takeTurn(win: Win, store: Store, name: string, work: Work): Promise<void> {
  const locks = win.navigator.locks as LockManager | undefined;
  let isAnswered = false;
  try {
    await locks!.request(`perennial:${name}`, { ifAvailable: true }, async (lock) => {
      isAnswered = true;
      if (lock) await work();
    });
  } catch {
    if (!isAnswered) await byLease(store, `lease:${name}`, work);
  }
}

async function byLease(store: Store, name: string, work: Work): Promise<void> {
  const left = Number(store.get(name)) - Date.now();
  if (left > 0 && left <= LEASE_MS) return;
  store.set(name, String(Date.now() + LEASE_MS));
  try {
    await work();
  } finally {
    store.remove(name);
  }
}
