/** From element to element, by pointer and by arrows. */
import { isVisible } from "../show/find.ts";

const WHOLE = "a, button, summary, label, select, [role=button], [role=link], [role=tab], [role=menuitem]";

/** What a pointer means: the whole button, not the drawing within it. */
export function up(element: Element): Element {
  return element.closest(WHOLE) || element;
}

/** Up: what holds it, out of a shadow, too; down: the first within; left and right:
 * beside it. */
export function walk(page: Document, from: Element | null, key: string): Element | null {
  const step = STEPS[key];
  if (!step) return null;
  if (!from || !from.isConnected) return page.querySelector("main, [role=main]") || page.body;
  return (from !== page.body || key === "ArrowDown" ? step(from) : null) || from;
}

const STEPS: Record<string, (from: Element) => Element | null | undefined> = {
  ArrowUp: (from) => from.parentElement || (from.getRootNode() as ShadowRoot).host,
  ArrowDown: (from) => [...(from.shadowRoot || from).children].find(isSeen),
  ArrowRight: (from) => beside(from, "nextElementSibling"),
  ArrowLeft: (from) => beside(from, "previousElementSibling"),
};

function beside(from: Element, way: "nextElementSibling" | "previousElementSibling"): Element | null {
  let next = from[way];
  while (next && !isSeen(next)) next = next[way];
  return next;
}

function isSeen(element: Element): boolean {
  return isVisible(element) && !element.localName.startsWith("perennial-");
}
