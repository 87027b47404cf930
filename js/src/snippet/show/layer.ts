/** A layer of ours over somebody's page: a shadow, which no style of theirs gets into. */
import { dress, make } from "./dom.ts";
import { SKIN, paint, type Look } from "./skin.ts";

export interface Frame {
  language: string;
  direction: string;
  look: Look;
}

export interface Layer {
  root: HTMLElement;
  /** Where the layer's own zero lies in the window. */
  origin(): { left: number; top: number };
  /** On the page again if that made itself anew; within its open dialog, which would
   * else lock us out. */
  keep(): void;
  /** Says something to screen readers, when nothing else does. */
  say(text: string): void;
  hasFocus(): boolean;
  isOurs(target: EventTarget): boolean;
  close(): void;
}

const SAYS_AFTER_MS = 100;

export function openLayer(page: Document, frame: Frame, more = ""): Layer {
  const host = page.createElement("perennial-guide");
  const shadow = host.attachShadow({ mode: "open" });
  dress(page, shadow, SKIN + more);
  const root = make(page, "div", { class: "root", lang: frame.language, dir: frame.direction });
  paint(root, frame.look);
  const spoken = make(page, "div", { class: "unseen", role: "status" });
  root.append(spoken);
  shadow.append(root);

  function keep(): void {
    const home = topmost(page);
    if (host.parentNode !== home) home.append(host);
  }

  keep();
  return {
    root,
    keep,
    origin: () => host.getBoundingClientRect(),
    say: (text) => void setTimeout(() => (spoken.textContent = text), SAYS_AFTER_MS),
    hasFocus: () => shadow.activeElement !== null,
    isOurs: (target) => target === host,
    close: () => host.remove(),
  };
}

function topmost(page: Document): Element {
  try {
    return [...page.querySelectorAll(":modal")].pop() || page.body;
  } catch {
    return page.body; // a browser that does not know the word
  }
}
