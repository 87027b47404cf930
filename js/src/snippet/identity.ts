import type { Store } from "./store.ts";

const ANONYMOUS = "anonymousId";
const USER = "userId";
const GROUP = "groupId";
const SESSION = "session";
const SIGNATURE = "signature";
/** A session ends after this long without a message, as the server counts it. */
const SESSION_MS = 30 * 60_000;

/** Who uses this browser; read from the store each time, as tabs share it. */
export interface Identity {
  anonymousId(): string;
  userId(): string | undefined;
  groupId(): string | undefined;
  sessionId(): string;
  /** What the page's own server says of the user's id, so that it can be believed. */
  signature(): string | undefined;
  sign(text: string): void;
  become(userId: string): void;
  join(groupId: string): void;
  forget(): void;
}

export function makeIdentity(store: Store, uuid: () => string): Identity {
  function anonymousId(): string {
    const known = store.get(ANONYMOUS);
    if (known !== null) return known;
    const made = uuid();
    store.set(ANONYMOUS, made);
    return made;
  }

  /** Someone else on the same browser without `reset`: two people stay two. */
  function become(userId: string): void {
    const before = store.get(USER);
    if (before !== null && before !== userId) forget();
    store.set(USER, userId);
  }

  function forget(): void {
    for (const name of [ANONYMOUS, USER, GROUP, SESSION, SIGNATURE]) store.remove(name);
  }

  function sessionId(): string {
    const now = Date.now();
    const [known, at] = (store.get(SESSION) || "").split(" ");
    // A clock that was set back begins a new one, too.
    const isLive = known && Math.abs(now - Number(at)) < SESSION_MS;
    const id = isLive ? known : uuid();
    store.set(SESSION, `${id} ${now}`);
    return id;
  }

  return {
    anonymousId,
    userId: () => store.get(USER) || undefined,
    groupId: () => store.get(GROUP) || undefined,
    sessionId,
    signature: () => store.get(SIGNATURE) || undefined,
    sign: (text) => store.set(SIGNATURE, text),
    become,
    join: (groupId) => store.set(GROUP, groupId),
    forget,
  };
}
