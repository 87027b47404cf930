/** A box of ours on somebody's page: in a shadow, so that no style goes in or out. */
import { dress, make, onEscape } from "./dom.ts";

const STYLE = `
:host { all: initial; position: fixed; inset-block-end: 16px; inset-inline-end: 16px; z-index: 2147483000;
  color-scheme: light dark; --ink: light-dark(#1C1C20, #EDEDF0); --pale: light-dark(#55555E, #A8A8B2);
  --ground: light-dark(#FFFFFF, #1F1F23); --line: light-dark(#D2D2D8, #3B3B42); --soft: light-dark(#EEEEFB, #26264A);
  --accent: light-dark(#4B48C8, #A5A5F8); --fill: light-dark(#4B48C8, #5B58D6); }
* { box-sizing: border-box; font-family: inherit; }
.box { width: min(384px, calc(100vw - 32px)); max-height: calc(100vh - 32px); overflow: auto; padding: 16px;
  border: 1px solid var(--line); border-radius: 12px; background: var(--ground); color: var(--ink);
  font: 400 14px/20px Inter, system-ui, -apple-system, "Segoe UI", sans-serif; text-align: start;
  box-shadow: 0 16px 40px -8px rgb(20 20 40 / .28); }
.head { display: flex; gap: 12px; align-items: flex-start; }
.head > :first-child { flex: 1; margin: 0; font-size: 15px; line-height: 21px; font-weight: 600; }
button, textarea { font-size: 14px; line-height: 20px; color: inherit; }
button { min-height: 36px; padding: 0 12px; border: 1px solid var(--line); border-radius: 6px; background: var(--ground); cursor: pointer; font-weight: 500; }
button:hover { border-color: var(--accent); }
button:focus-visible, textarea:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.close { flex: none; min-height: 28px; width: 28px; padding: 0; border-color: transparent; background: none; color: var(--pale); }
.main { border-color: transparent; background: var(--fill); color: #FFFFFF; }
.scores { display: grid; grid-template-columns: repeat(auto-fit, minmax(26px, 1fr)); gap: 4px; margin: 14px 0 6px; }
.scores button { padding: 0; font-variant-numeric: tabular-nums; }
.scores button[aria-pressed="true"] { border-color: transparent; background: var(--fill); color: #FFFFFF; }
.ends { display: flex; justify-content: space-between; gap: 12px; font-size: 12px; line-height: 16px; color: var(--pale); }
form { display: grid; gap: 10px; margin: 12px 0 0; }
form > div { display: grid; gap: 6px; }
label, legend { font-weight: 500; }
fieldset { display: grid; gap: 6px; margin: 0; padding: 0; border: 0; }
.option { display: flex; gap: 8px; align-items: center; min-height: 28px; font-weight: 400; }
textarea { width: 100%; min-height: 72px; padding: 6px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--ground); resize: vertical; }
.problem { margin: 8px 0 0; color: light-dark(#A5132C, #FF8087); }
@media (max-width: 480px) { :host { inset-inline: 16px; } .box { width: 100%; } .scores { grid-template-columns: repeat(6, 1fr); } .scores button { min-height: 44px; } }
@media (prefers-reduced-motion: no-preference) { .box { animation: come .18s ease-out; } @keyframes come { from { opacity: 0; transform: translateY(8px); } } }
`;

export interface Box {
  /** Where the content goes. */
  body: HTMLElement;
  close(): void;
}

interface Frame {
  label: string;
  language: string;
  direction: string;
  onClose: () => void;
}

/** A box in the corner. It takes no focus from the page; Escape inside closes it. */
export function openBox(page: Document, frame: Frame): Box {
  const host = page.createElement("perennial-box");
  const shadow = host.attachShadow({ mode: "open" });
  dress(page, shadow, STYLE);
  const body = make(page, "div", { class: "box", role: "dialog", "aria-label": frame.label });
  body.lang = frame.language;
  body.dir = frame.direction;
  host.dir = frame.direction;
  shadow.append(body);
  const close = (): void => host.remove();
  onEscape(body, frame.onClose);
  page.body.append(host);
  return { body, close };
}
