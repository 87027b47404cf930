/** A button in the corner that opens a panel: a checklist, or a center of resources. */
import { isPage, type Job } from "../things.ts";
import { crossOf } from "./card.ts";
import { icon, make, onEscape } from "./dom.ts";
import { stopsOf } from "./focus.ts";
import type { Guide } from "./guide.ts";
import { openLayer, type Layer } from "./layer.ts";
import { watch } from "./watch.ts";

export interface Launcher {
  layer: Layer;
  button: HTMLButtonElement;
  panel: HTMLElement;
  close(): void;
}

const CHEVRON = "M6 9l6 6 6-6";
const HEIGHT = 56;

/** `hide` is for people who do not want to see it again. */
export function openLauncher(page: Document, guide: Guide, job: Job, hide?: () => void): Launcher {
  const layer = openLayer(page, guide, STYLE);
  const isTop = (guide.look.position || "").startsWith("top");
  const dock = make(page, "div", { class: "dock" });
  const button = make(page, "button", { class: "launch", type: "button", "aria-expanded": String(!guide.token), "aria-haspopup": "dialog" });
  const panel = make(page, "div", { class: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1" });
  const head = make(page, "div", { class: "head" });
  const cross = crossOf(page, guide.words.close);
  cross.replaceChildren(icon(page, CHEVRON));
  // A preview shows what there is.
  panel.hidden = !!guide.token;
  head.append(make(page, "h2", { id: "title" }, guide.name), cross);
  panel.append(head);
  dock.append(...(isTop ? [button, panel] : [panel, button]));
  layer.root.append(dock);

  function toggle(isOpen: boolean): void {
    panel.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) (stopsOf(panel).find((each) => each !== cross) || panel).focus({ preventScroll: true });
    else button.focus({ preventScroll: true });
  }

  /** On its pages only, and beside other launchers of the same corner. */
  function look(): void {
    layer.keep();
    dock.hidden = !!job.thing.pages.length && !isPage(job.thing.pages, page.location.pathname);
    const shift = docks(page, guide.look.position).indexOf(dock) * HEIGHT;
    dock.style[isTop ? "marginTop" : "marginBottom"] = `${Math.max(0, shift)}px`;
  }

  button.addEventListener("click", () => toggle(panel.hidden));
  cross.addEventListener("click", () => toggle(false));
  onEscape(panel, () => toggle(false));
  const stopWatching = watch(page, look);
  const close = (): void => {
    stopWatching();
    layer.close();
  };
  if (hide) {
    const away = make(page, "button", { class: "away", type: "button" }, guide.words.hide);
    away.addEventListener("click", () => {
      close();
      hide();
    });
    panel.append(away);
  }
  look();
  return { layer, button, panel, close };
}

/** The launchers to be seen in a corner, in the order they came. */
function docks(page: Document, corner: string): HTMLElement[] {
  const name = `.${(corner || "").split("-").join(".")} > .dock:not([hidden])`;
  const found = [...page.querySelectorAll("perennial-guide")].map((host) =>
    host.shadowRoot!.querySelector<HTMLElement>(name),
  );
  return found.filter((dock) => dock !== null);
}

/** Up and down walk through what can be used. */
export function walkByArrows(list: HTMLElement, from: () => HTMLElement[]): void {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = from();
    const at = stops.indexOf((list.getRootNode() as ShadowRoot).activeElement as HTMLElement);
    event.preventDefault();
    stops[Math.max(0, Math.min(at + step, stops.length - 1))]?.focus();
  });
}

const STYLE = `
.dock { position: fixed; display: grid; justify-items: end; gap: 12px; width: min(360px, calc(100vw - 32px)); pointer-events: none; }
.dock > * { pointer-events: auto; }
.root.left .dock { justify-items: start; }
.launch { display: inline-flex; align-items: center; gap: 8px; min-height: 44px; max-width: 100%; padding: 0 16px; border: 0; border-radius: 22px; background: var(--fill); color: var(--on-fill);
  font-weight: 600; cursor: pointer; box-shadow: 0 6px 20px -4px rgb(20 20 40 / .4), 0 1px 3px rgb(20 20 40 / .2); }
.launch:hover { filter: brightness(1.06); }
.launch:focus-visible { outline-offset: 3px; }
.launch .count { font-weight: 500; font-variant-numeric: tabular-nums; opacity: .9; }
.launch.round { width: 44px; padding: 0; justify-content: center; }
.launch.round svg { width: 24px; height: 24px; }
.panel { position: static; width: 100%; max-height: min(560px, calc(100dvh - 160px)); padding: 16px 0 8px; overflow: hidden; }
.panel .head { padding: 0 16px 10px; }
.items { overflow: auto; min-height: 0; list-style: none; display: grid; gap: 2px; padding: 2px 8px; }
.item { display: grid; grid-template-columns: 20px 1fr 16px; gap: 2px 10px; align-items: start; width: 100%; padding: 9px 8px; border: 0; border-radius: var(--small); background: none; color: inherit; text-align: start; text-decoration: none; }
button.item, a.item { cursor: pointer; }
button.item:hover, a.item:hover { background: var(--hover); }
.item > svg { width: 16px; height: 16px; margin-top: 3px; color: var(--pale); }
.item .title { font-weight: 500; }
.item .prose { grid-column: 2; font-size: 13px; line-height: 19px; }
[dir=rtl] .turn { transform: scaleX(-1); }
.away { align-self: center; margin-top: 4px; min-height: 32px; padding: 4px 12px; border: 0; background: none; color: var(--pale); font-size: 12.5px; cursor: pointer; border-radius: var(--small); }
.away:hover { color: var(--ink); text-decoration: underline; }
.meter { height: 6px; margin: 0 16px 10px; border-radius: 3px; background: var(--hover); overflow: hidden; }
.meter span { display: block; height: 100%; border-radius: 3px; background: var(--accent); }
.summary { margin: -8px 16px 8px; color: var(--pale); font-size: 12.5px; font-variant-numeric: tabular-nums; }
.tick { display: grid; place-items: center; width: 20px; height: 20px; border: 1.5px solid var(--pale); border-radius: 50%; }
.tick svg { width: 12px; height: 12px; stroke-width: 3; }
.is-done .tick { border-color: transparent; background: var(--good); color: var(--ground); }
.is-done .title { color: var(--pale); text-decoration: line-through; font-weight: 400; }
.search { margin: 0 16px 8px; position: relative; }
.search svg { position: absolute; inset-inline-start: 10px; top: 10px; width: 16px; height: 16px; color: var(--pale); }
.search input { width: 100%; min-height: 36px; padding: 6px 10px 6px 34px; padding-inline: 34px 10px; border: 1px solid var(--line); border-radius: var(--small); background: none; }
.search input::placeholder { color: var(--pale); opacity: 1; }
.none { padding: 16px; color: var(--pale); text-align: center; }
@media (max-width: 640px) { .item { padding-block: 11px; } .search input { font-size: 16px; min-height: 42px; } }
@media (prefers-reduced-motion: no-preference) { .meter span { transition: width .4s; } .panel { transform-origin: bottom; } }
`;
