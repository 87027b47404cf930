import type { Identity } from "./identity.ts";
import type { Loader } from "./loader.ts";
import { PREFIX, type Store } from "./store.ts";
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
  /** Lies beside the page for long, as a checklist does: leaves the page to others. */
  stays?: boolean;
  /** Waits until the page has such an element. */
  selector?: string;
}

/** What the second file draws. */
export interface Job {
  host: string;
  key: string;
  user: string;
  thing: Thing;
  /** What the server gave to an earlier page, on which it did not come to its end. */
  show?: object;
}
/** Something to draw; an event that the page tracked; or the person is gone. */
export type Note = Job | { event: string } | { gone: true };
/** The page's own array until the second file has come. */
export interface Shows {
  push(note: Note): unknown;
  length?: number;
  /** Something is drawn that wants the page for itself. */
  busy?: boolean;
}

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
  /** Nothing may be shown to this person any longer. */
  forget(): void;
}

const NAME = "things";
/** Of the tab: what goes on over several pages, kept by the second file. */
export const GOING = `${PREFIX}going`;
const MOST_EVENTS = 100;
const LOOKS_AGAIN_MS = 1_000;

/**
 * Asks once in a while what could be shown to the person here, keeps the answer, and
 * has a thing drawn when its page or event comes. One at a time: whatever is drawn has
 * the page until the next view, except by those that stay beside it.
 */
export function makeThings(
  win: Win,
  options: Options,
  store: Store,
  identity: Identity,
  isOn: () => boolean,
  load: Loader,
): Things {
  const { host, key } = options;
  const page = win as Win & { perennialShow?: Shows };
  const waiting = new Set<string>();
  const drawn = new Set<string>();
  let isAsking = false;
  let isLoaded = false;
  let shownAt = "";
  let person = "";

  const whoIsThere = (): string | undefined => (isOn() ? identity.userId() : undefined);

  function kept(user: string | undefined): Kept | undefined {
    const found = JSON.parse(store.get(NAME) || "null") as Kept | null;
    return found && found.user === user && found.until > Date.now() ? found : undefined;
  }

  function look(): void {
    const user = whoIsThere();
    if (!user) return;
    if (person !== user) welcome(user);
    const known = kept(user);
    if (known) match(known.things, "");
    else ask(user);
  }

  /** What this person began on an earlier page goes on; what another did does not. */
  function welcome(user: string): void {
    if (person) forget();
    person = user;
    safely(() => {
      const job = JSON.parse(win.sessionStorage.getItem(GOING)!) as (Job & { until: number }) | null;
      if (job && job.user === user && job.until > Date.now()) hand(job);
    })();
  }

  function ask(user: string): void {
    if (isAsking) return;
    isAsking = true;
    const said = {
      key,
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
    const found = things.filter((thing) => thing.event === event && isPage(thing.pages, path));
    const first = found.find(({ stays }) => !stays);
    for (const thing of found)
      if (thing.stays || thing === first) wait(thing, path, thing.delay_s * 1000);
  }

  function wait(thing: Thing, path: string, ms: number): void {
    const name = thing.id + path;
    if (waiting.has(name)) return;
    waiting.add(name);
    setTimeout(() => {
      waiting.delete(name);
      safely(show)(thing, path);
    }, ms);
  }

  function show(thing: Thing, path: string): void {
    const user = whoIsThere();
    const known = kept(user);
    const { pathname: place } = win.location;
    const { id, selector, stays } = thing;
    if (!known || place !== path || !known.things.some((each) => each.id === id)) return;
    if (stays ? drawn.has(id) : shownAt === place || page.perennialShow?.busy) return;
    if (selector && !win.document.querySelector(selector)) return wait(thing, path, LOOKS_AGAIN_MS);
    if (stays) drawn.add(id);
    else store.set(NAME, JSON.stringify({ ...known, things: known.things.filter((each) => each.id !== id) }));
    hand({ host, key, user: user!, thing });
  }

  function hand(job: Job): void {
    if (!job.thing.stays) shownAt = win.location.pathname;
    if (!isLoaded) load("show");
    isLoaded = true;
    shows().push(job);
  }

  function shows(): Shows {
    return (page.perennialShow = page.perennialShow || []);
  }

  function forget(): void {
    person = "";
    drawn.clear();
    safely(() => {
      for (const name of Object.keys(win.sessionStorage))
        if (name.startsWith(PREFIX)) win.sessionStorage.removeItem(name);
    })();
    if (isLoaded) shows().push({ gone: true });
  }

  return {
    look: () => {
      if (win.location.pathname !== shownAt) shownAt = "";
      look();
    },
    happened: (event) => {
      const user = whoIsThere();
      if (!user) return;
      if (!(shows().length! > MOST_EVENTS)) shows().push({ event });
      const known = kept(user);
      if (known) match(known.things, event);
    },
    forget,
  };
}

export function isPage(patterns: string[], path: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => asRule(pattern).test(path));
}

function asRule(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
