import type { Identity } from "./identity.ts";
import type { Store } from "./store.ts";
import { safely, type Options, type Win } from "./surroundings.ts";

/** Something the server would show to this person, and the moment it waits for. */
export interface Thing {
  kind: string;
  id: string;
  /** Paths, `*` for anything; none: every page. */
  pages: string[];
  /** Waits until the page tracks this event; empty: it does not wait. */
  event: string;
  delay_s: number;
  ticket: string;
}

/** What the second file draws; the page's own array until that file has come. */
export interface Job {
  host: string;
  key: string;
  thing: Thing;
}
export type Shows = { push(job: Job): unknown };

interface Kept {
  user: string;
  until: number;
  things: Thing[];
}

export interface Things {
  /** A page is seen, or the person has become known. */
  look(): void;
  /** The page tracked an event. */
  happened(event: string): void;
}

const NAME = "things";

/**
 * Asks once in a while what could be shown to the person here, keeps the answer, and
 * has a thing drawn when its page or event comes. One at a time: whatever is drawn has
 * the page until the next view.
 */
export function makeThings(
  win: Win,
  options: Options,
  store: Store,
  identity: Identity,
  isOn: () => boolean,
): Things {
  const host = options.host;
  let isAsking = false;
  let shownAt = "";

  function kept(user: string): Kept | undefined {
    const found = JSON.parse(store.get(NAME) || "null") as Kept | null;
    return found && found.user === user && found.until > Date.now() ? found : undefined;
  }

  function look(): void {
    const user = isOn() ? identity.userId() : undefined;
    if (!user) return;
    const known = kept(user);
    if (known) match(known.things, "");
    else ask(user);
  }

  function ask(user: string): void {
    if (isAsking) return;
    isAsking = true;
    const said = {
      key: options.key,
      userId: user,
      groupId: identity.groupId(),
      signature: identity.signature(),
    };
    const body = JSON.stringify(said);
    const headers = { "Content-Type": "text/plain;charset=UTF-8" };
    win
      .fetch(`${host}/snippet/v1/things`, { method: "POST", body, headers, credentials: "omit" })
      .then((answer) => answer.json() as Promise<{ things: Thing[]; again_s: number }>)
      .then(
        safely(({ things, again_s }) => {
          isAsking = false;
          const until = Date.now() + again_s * 1000;
          store.set(NAME, JSON.stringify({ user, until, things }));
          // Somebody else may have come meanwhile.
          if (identity.userId() === user) match(things, "");
        }),
        () => void (isAsking = false),
      );
  }

  function match(things: Thing[], event: string): void {
    const path = win.location.pathname;
    const found = things.find((thing) => thing.event === event && isPage(thing.pages, path));
    if (found) setTimeout(safely(() => show(found, path)), found.delay_s * 1000);
  }

  function show(thing: Thing, path: string): void {
    const user = identity.userId();
    const known = user && isOn() ? kept(user) : undefined;
    const place = win.location.pathname;
    if (!known || place !== path || shownAt === place) return;
    const rest = known.things.filter(({ id }) => id !== thing.id);
    if (rest.length === known.things.length) return;
    shownAt = place;
    store.set(NAME, JSON.stringify({ ...known, things: rest }));
    const page = win as Win & { perennialShow?: Shows };
    if (!page.perennialShow) {
      page.perennialShow = [] as Job[];
      load();
    }
    page.perennialShow.push({ host, key: options.key, thing });
  }

  function load(): void {
    const script = win.document.createElement("script");
    script.src = trusted(`${host}/snippet/v1/show.js`);
    win.document.head.appendChild(script);
  }

  /** Pages that enforce Trusted Types take no plain text for the address of a script. */
  function trusted(url: string): string {
    const types = (win as { trustedTypes?: Factory }).trustedTypes;
    if (!types) return url;
    return types.createPolicy("perennial", { createScriptURL: (text) => text }).createScriptURL(url);
  }

  return {
    look: () => {
      if (win.location.pathname !== shownAt) shownAt = "";
      look();
    },
    happened: (event) => {
      const user = isOn() ? identity.userId() : undefined;
      const known = user && kept(user);
      if (known) match(known.things, event);
    },
  };
}

interface Factory {
  createPolicy(
    name: string,
    rules: { createScriptURL: (text: string) => string },
  ): { createScriptURL(text: string): string };
}

export function isPage(patterns: string[], path: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => asRule(pattern).test(path));
}

function asRule(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
