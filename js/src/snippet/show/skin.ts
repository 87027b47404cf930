/** How guides look: the team's accent and corners on our grounds, light and dark. */
import { inkOn, readable } from "./color.ts";

export interface Look {
  /** #rrggbb */
  accent: string;
  mode: "light" | "dark" | "auto";
  /** Of cards, in pixels; what is in them follows. */
  radius: number;
  /** The corner of what lies beside the page; mirrored where text runs from the right. */
  position: string;
}

const LIGHT = "#FFFFFF";
const DARK = "#1F1F23";

/** Puts the look onto the root of a shadow, as properties that `SKIN` reads. */
export function paint(root: HTMLElement, { accent, mode, radius, position }: Look): void {
  const color = /^#[0-9a-f]{6}$/i.test(accent) ? accent : "#4B48C8";
  const { style } = root;
  style.colorScheme = mode === "auto" ? "light dark" : mode;
  style.setProperty("--fill", color);
  style.setProperty("--on-fill", inkOn(color));
  const [light, dark] = [readable(color, LIGHT, "#000000"), readable(color, DARK, LIGHT)];
  style.setProperty("--accent", `light-dark(${light}, ${dark})`);
  style.setProperty("--radius", `${Math.max(0, Math.min(24, radius))}px`);
  root.classList.add(...(position || "bottom-right").split("-"));
}

export const SKIN = `
:host { all: initial !important; position: fixed !important; inset: 0 auto auto 0 !important; z-index: 2147483000 !important; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.root { all: initial; color-scheme: light dark; --ink: light-dark(#1C1C20, #EDEDF0); --pale: light-dark(#5C5C66, #A8A8B2);
  --ground: light-dark(${LIGHT}, ${DARK}); --line: light-dark(#E0E0E6, #3B3B42); --hover: light-dark(#F4F4F6, #2A2A30);
  --good: light-dark(#0D7549, #6CCBB0); --small: min(var(--radius), 8px);
  --shadow: 0 0 0 1px light-dark(rgb(20 20 40 / .08), rgb(255 255 255 / .1)), 0 12px 32px -6px rgb(20 20 40 / .24), 0 2px 6px rgb(20 20 40 / .08);
  --halo: 0 0 0 2px var(--accent), 0 0 0 6px color-mix(in srgb, var(--accent) 30%, transparent);
  font: 400 14px/21px Inter, system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); text-align: start; }
h2, p, ul, ol { margin: 0; padding: 0; font: inherit; }
button, input { font: inherit; color: inherit; margin: 0; }
a { color: var(--accent); text-underline-offset: 2px; }
b { font-weight: 600; }
svg { width: 18px; height: 18px; flex: none; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.unseen { position: fixed; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.card, .panel { position: fixed; display: flex; flex-direction: column; background: var(--ground); border-radius: var(--radius); box-shadow: var(--shadow); overflow-wrap: anywhere; }
.card { width: min(340px, calc(100vw - 24px)); max-height: calc(100vh - 16px); max-height: calc(100dvh - 16px); padding: 16px; gap: 12px; }
.card:focus, .panel:focus { outline: none; }
.scroll { overflow: auto; min-height: 0; display: grid; gap: 8px; margin: -3px; padding: 3px; }
.head { display: flex; gap: 8px; align-items: flex-start; }
h2 { flex: 1; font-size: 16px; line-height: 22px; font-weight: 600; letter-spacing: -.01em; text-wrap: balance; }
.prose { display: grid; gap: 8px; color: var(--pale); }
.prose b { color: var(--ink); }
.prose ul { display: grid; gap: 4px; padding-inline-start: 18px; }
.foot { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; justify-content: flex-end; }
.progress { margin-inline-end: auto; color: var(--pale); font-size: 12.5px; font-variant-numeric: tabular-nums; }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 34px; padding: 5px 14px; border: 1px solid var(--line); border-radius: var(--small);
  background: none; color: inherit; font-weight: 500; line-height: 20px; text-decoration: none; cursor: pointer; }
.button:hover, .plain:hover { background: var(--hover); }
.main, .main:hover { border-color: transparent; background: var(--fill); color: var(--on-fill); }
.main:hover { box-shadow: inset 0 0 0 99px rgb(0 0 0 / .08); }
.plain { display: grid; place-items: center; flex: none; width: 28px; height: 28px; margin-block: -3px; margin-inline: 0 -6px; padding: 0; border: 0; border-radius: var(--small); background: none; color: var(--pale); cursor: pointer; }
.arrow { position: absolute; width: 12px; height: 12px; background: var(--ground); transform: rotate(45deg); pointer-events: none; }
.ring { position: fixed; border-radius: calc(var(--small) + 3px); pointer-events: none; box-shadow: var(--halo); }
.ring.dim { box-shadow: var(--halo), 0 0 0 200vmax rgb(10 10 20 / .42); }
.veil { position: fixed; inset: 0; background: rgb(10 10 20 / .5); }
.center { inset: 0; margin: auto; height: fit-content; }
.modal { width: min(460px, calc(100vw - 32px)); padding: 24px; gap: 18px; }
.modal h2 { font-size: 20px; line-height: 27px; }
.bar { inset-inline: 12px; margin: 0 auto; width: auto; max-width: 880px; flex-direction: row; align-items: center; padding: 12px 16px; border-inline-start: 4px solid var(--fill); }
.bar .scroll { flex: 1; gap: 2px; }
.bar h2 { font-size: 14px; line-height: 21px; }
.bar .plain { order: 9; margin: 0; }
.bar.at-top { top: 12px; }
.bar.at-bottom { bottom: 12px; }
.root.top .corner, .root.top .dock { top: 16px; }
.root.bottom .corner, .root.bottom .dock { bottom: 16px; }
.root.right .corner, .root.right .dock { inset-inline-end: 16px; }
.root.left .corner, .root.left .dock { inset-inline-start: 16px; }
.corner { width: min(380px, calc(100vw - 32px)); padding: 20px; }
.dot { position: fixed; display: grid; place-items: center; width: 28px; height: 28px; margin: -14px 0 0 -14px; padding: 0; border: 0; border-radius: 50%; background: none; cursor: pointer; }
.dot::before, .dot::after { content: ""; grid-area: 1/1; width: 12px; height: 12px; border-radius: 50%; background: var(--fill); }
.dot::before { box-shadow: 0 0 0 2px #FFFFFF, 0 1px 4px rgb(0 0 0 / .4); z-index: 1; }
@media (max-width: 640px) {
  .bar { flex-wrap: wrap; } .bar .scroll { flex-basis: 70%; } .bar .foot { flex-basis: 100%; order: 10; }
  .button { min-height: 40px; } .plain { width: 36px; height: 36px; margin-block: -7px; }
  .modal { padding: 20px; }
}
@media (prefers-reduced-motion: no-preference) {
  .card, .panel { animation: come .2s cubic-bezier(.2, .8, .3, 1); }
  .veil, .ring { animation: fade .2s; }
  .dot::after { animation: pulse 2s ease-out infinite; }
  @keyframes come { from { opacity: 0; translate: 0 8px; } }
  @keyframes fade { from { opacity: 0; } }
  @keyframes pulse { from { transform: scale(1); opacity: .5; } 70%, to { transform: scale(2.6); opacity: 0; } }
}
@media print { .root { display: none; } }
@media (forced-colors: active) { .card, .panel, .dock { border: 1px solid; } .ring { outline: 3px solid; } }
`;
