import type { Fields, Win } from "./surroundings.ts";

export const LIBRARY = { name: "perennial.js", version: "1.0.0" };

/** The page as it is now, without the part behind "#", which may hold secrets. */
export function pageOf(win: Win, referrer: string): Fields {
  const { pathname: path, search, href } = win.location;
  return { path, search, url: withoutHash(href), referrer, title: win.document.title };
}

export function withoutHash(href: string): string {
  return href.split("#")[0]!;
}

/** utm_source=… of the address, as Segment names them. */
export function campaignOf(search: string): Fields | undefined {
  const campaign: Fields = {};
  new URLSearchParams(search).forEach((value, name) => {
    const [, what] = /^utm_(\w+)$/.exec(name) || [];
    if (what) campaign[what === "campaign" ? "name" : what] = value;
  });
  return Object.keys(campaign).length > 0 ? campaign : undefined;
}

export function contextOf(win: Win, referrer: string): Fields {
  const { navigator, screen } = win;
  return {
    page: pageOf(win, referrer),
    campaign: campaignOf(win.location.search),
    userAgent: navigator.userAgent,
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: win.devicePixelRatio },
    library: LIBRARY,
  };
}
