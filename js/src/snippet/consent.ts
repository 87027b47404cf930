import type { Store } from "./store.ts";
import type { Win } from "./surroundings.ts";

/** off: nothing is sent or kept; waiting: kept in memory until `optIn`. */
export type Mode = "on" | "waiting" | "off";

/** Do Not Track or Global Privacy Control: the browser speaks for its person. */
export function isRefusedByBrowser(win: Win): boolean {
  const said = win.navigator as Navigator & { globalPrivacyControl?: boolean };
  const track = said.doNotTrack || (win as { doNotTrack?: string }).doNotTrack;
  return said.globalPrivacyControl === true || track === "1";
}

/** Asked anew each time: another tab may have changed it. */
export function modeOf(win: Win, store: Store, isRequired: boolean): Mode {
  if (isRefusedByBrowser(win)) return "off";
  const said = store.consent();
  if (said === "denied") return "off";
  return said === "granted" || !isRequired ? "on" : "waiting";
}
