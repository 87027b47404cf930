import { MAX_MESSAGE_BYTES } from "./batch.ts";
import { readCall, type Call } from "./calls.ts";
import { isRefusedByBrowser, modeOf, type Mode } from "./consent.ts";
import { contextOf, pageOf } from "./context.ts";
import { makeIdentity } from "./identity.ts";
import type { Loader } from "./loader.ts";
import { watchPages, type Pages } from "./pages.ts";
import { makeQueue } from "./queue.ts";
import { makePause } from "./retry.ts";
import { makeSender } from "./sender.ts";
import { makeStore } from "./store.ts";
import { makeThings } from "./things.ts";
import { bytesOf, listen, uuid, type Fields, type Options, type Win } from "./surroundings.ts";

export const METHODS = [
  "page",
  "track",
  "identify",
  "group",
  "alias",
  "reset",
  "optIn",
  "optOut",
  "flush",
] as const;
export type Method = (typeof METHODS)[number];
export type Client = Record<Method, (...args: unknown[]) => void>;

export function makeClient(win: Win, options: Options, loader: Loader): Client {
  const store = makeStore(win);
  const identity = makeIdentity(store, () => uuid(win));
  const queue = makeQueue(store, options.key);
  const pause = makePause(store, options.key);
  const sender = makeSender(win, options, store, queue, pause, () => settle() === "on");
  const things = options.show
    ? makeThings(win, options, store, identity, () => settle() === "on", loader)
    : undefined;
  let pages: Pages | undefined;
  let mode: Mode | undefined;

  /** The mode now; when it has changed, what is kept follows. */
  function settle(): Mode {
    const before = mode;
    mode = modeOf(win, store, options.consent === "required");
    if (mode === before) return mode;
    if (mode === "on") {
      store.attach();
    } else {
      store.clear();
      queue.clear();
      things?.forget();
    }
    return mode;
  }

  function capture(type: string, fields: Fields, context: Fields = {}): void {
    if (settle() === "off") return;
    const messageId = uuid(win);
    const text = JSON.stringify({
      type,
      messageId,
      anonymousId: identity.anonymousId(),
      userId: identity.userId(),
      ...fields,
      timestamp: new Date().toISOString(),
      context: {
        ...contextOf(win, referrer()),
        groupId: identity.groupId(),
        sessionId: options.sessions === false ? undefined : identity.sessionId(),
        ...context,
      },
    });
    if (bytesOf(text) > MAX_MESSAGE_BYTES) return;
    queue.add(messageId, text);
    sender.wake();
  }

  function referrer(): string {
    return pages ? pages.referrer() : win.document.referrer;
  }

  /** page([[category,] name,] [properties,] [options]) */
  function page({ words, fields, context }: Call): void {
    const [name, category] = words.slice(0, 2).reverse();
    const properties = { ...pageOf(win, referrer()), ...fields };
    capture("page", { name, category, properties }, context);
    things?.look();
  }

  function track({ words: [event], fields: properties, context }: Call): void {
    if (!event) return;
    capture("track", { event, properties }, context);
    things?.happened(event);
  }

  function identify({ words: [userId], fields: traits, context, signature }: Call): void {
    if (userId) identity.become(userId);
    if (signature) identity.sign(signature);
    capture("identify", { traits }, context);
    things?.look();
  }

  function group({ words: [groupId], fields: traits, context }: Call): void {
    if (!groupId) return;
    identity.join(groupId);
    capture("group", { groupId, traits }, context);
  }

  /** alias(userId, [previousId]) */
  function alias({ words: [userId, previousId], context }: Call): void {
    if (!userId) return;
    const before = previousId || identity.userId() || identity.anonymousId();
    capture("alias", { userId, previousId: before }, context);
  }

  function reset(): void {
    identity.forget();
    things?.forget();
  }

  function optOut(): void {
    store.setConsent("denied");
    settle();
  }

  function optIn(): void {
    if (isRefusedByBrowser(win)) return;
    const wasOff = settle() === "off";
    store.setConsent("granted");
    settle();
    if (wasOff) pages?.again();
    sender.wake();
  }

  function start(): void {
    if (options.pages !== false) {
      pages = watchPages(win, () => page(readCall([])));
      pages.look();
      // Back from the browser's cache of whole pages: shown again, not loaded.
      listen(win, "pageshow", (event) => {
        if ((event as PageTransitionEvent).persisted) pages?.again();
      });
    }
    settle();
    // What earlier pages left behind.
    sender.wake();
  }

  function leave(isForEver: boolean): void {
    pages?.look();
    sender.leave(isForEver);
  }

  listen(win, "pagehide", () => leave(true));
  listen(win.document, "visibilitychange", () => {
    if (win.document.visibilityState === "hidden") leave(false);
  });
  listen(win, "online", sender.back);
  start();

  const unlessOff = (work: (call: Call) => void) => (...args: unknown[]) => {
    if (settle() !== "off") work(readCall(args));
  };
  return {
    page: unlessOff(page),
    track: unlessOff(track),
    identify: unlessOff(identify),
    group: unlessOff(group),
    alias: unlessOff(alias),
    reset: unlessOff(reset),
    flush: sender.flush,
    optIn,
    optOut,
  };
}
