import { METHODS, makeClient, type Client, type Method } from "./client.ts";
import { LIBRARY } from "./context.ts";
import { makeLoader } from "./loader.ts";
import { listen, safely, type Options, type Win } from "./surroundings.ts";

/** A call that came before its time: `["track", "Report made", {…}]`. */
type Early = unknown[];
export type Perennial = Early[] & Record<Method | "load", (...args: unknown[]) => void> & {
  version?: string;
};

const MAX_EARLY = 1_000;

/**
 * Puts the functions onto `window.perennial`, the page's own array of early calls if
 * it has one, so that a reference taken before stays good. Twice is once.
 */
export function install(win: Win, script: HTMLScriptElement | null): void {
  const page = win as { perennial?: unknown };
  const api = (Array.isArray(page.perennial) ? page.perennial : []) as Perennial;
  if (api.version) return;
  const early = api.splice(0);
  let client: Client | undefined;
  let isLoading = false;

  function load(key: unknown, options: unknown): void {
    if (isLoading || !key || typeof key !== "string") return;
    isLoading = true;
    const given = (options || {}) as Partial<Options>;
    whenSeen(win, () => {
      const host = String(given.host || hostOf(script)).replace(/\/+$/, "");
      const loader = makeLoader(win, host);
      const picks = isPicking(win);
      client = makeClient(win, { ...given, key, host, show: given.show && !picks }, loader);
      if (picks) loader("pick");
      early.splice(0).forEach(run);
    });
  }

  function call(method: Method, args: unknown[]): void {
    if (client) client[method](...args);
    else if (early.length < MAX_EARLY) early.push([method, ...args]);
  }

  /** One call given as an array, as `perennial.push` takes it. */
  const run = safely(([name, ...args]: Early) => {
    if (name === "load") load(args[0], args[1]);
    else if (METHODS.includes(name as Method)) call(name as Method, args);
  });

  api.version = LIBRARY.version;
  api.load = safely(load);
  for (const method of METHODS) api[method] = safely((...args) => call(method, args));
  api.push = (...calls) => (calls.forEach(run), 0);
  page.perennial = api;
  start(early, script, run);
}

/** The page's own `load` comes first, then that of the script tag. */
function start(early: Early[], script: HTMLScriptElement | null, run: (call: Early) => void): void {
  const at = early.findIndex(([name]) => name === "load");
  if (at >= 0) run(early.splice(at, 1)[0]!);
  const data = script?.dataset;
  if (data?.["key"]) run(["load", data["key"], optionsOf(data)]);
}

/** data-key, data-host, data-consent, data-pages, data-sessions, data-show */
function optionsOf(data: DOMStringMap): Partial<Options> {
  return {
    ...(data["host"] ? { host: data["host"] } : {}),
    consent: data["consent"] === "required" ? "required" : undefined,
    pages: data["pages"] !== "off",
    sessions: data["sessions"] !== "off",
    show: data["show"] === "on",
  };
}

/** Messages go where the script came from; from another address, to the page's own. */
function hostOf(script: HTMLScriptElement | null): string {
  const [, host = ""] = /^(.*)\/snippet\/v1\.js/.exec(script ? script.src : "") || [];
  return host;
}

/** One of the team points at an element for a guide: asked for by a link, then by the tab. */
function isPicking(win: Win): boolean {
  if (win.location.hash.startsWith("#perennial-pick=")) return true;
  try {
    return win.sessionStorage.getItem("perennial-pick") !== null;
  } catch {
    return false;
  }
}

/** A page rendered ahead of time may never be looked at. */
function whenSeen(win: Win, work: () => void): void {
  const page = win.document as Document & { prerendering?: boolean };
  if (page.prerendering) listen(page, "prerenderingchange", work);
  else work();
}
