import { withoutHash } from "./context.ts";
import { listen, safely, type Win } from "./surroundings.ts";

/** What is shown, and from where: in a single-page app the referrer is the view before. */
export interface Pages {
  referrer(): string;
  /** Reports a new view now, if there is one. */
  look(): void;
  /** Reports the view again, although it is the same. */
  again(): void;
}

/** Calls `seen` for the first view and whenever path or search have changed. */
export function watchPages(win: Win, seen: () => void): Pages {
  let referrer = win.document.referrer;
  let shown = "";
  let url = "";

  function look(): void {
    const { pathname, search, href } = win.location;
    if (pathname + search === shown) return;
    if (shown) referrer = url;
    shown = pathname + search;
    url = withoutHash(href);
    seen();
  }

  // A moment later: the application sets the title, and a redirect is no view.
  const lookSoon = (): void => void setTimeout(safely(look), 0);

  safely(wrap)(win.history, "pushState", lookSoon);
  safely(wrap)(win.history, "replaceState", lookSoon);
  listen(win, "popstate", lookSoon);
  return { referrer: () => referrer, look, again: seen };
}

/** The page's call works as before, whatever happens in ours. */
function wrap(history: History, name: "pushState" | "replaceState", after: () => void): void {
  const original = history[name];
  history[name] = function (this: History, ...args: Parameters<History["pushState"]>) {
    original.apply(this, args);
    after();
  };
}
