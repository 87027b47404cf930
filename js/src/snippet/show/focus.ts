import { activeIn } from "./pierce.ts";

/** Where the keyboard is, between the page and what we draw over it. */
export type Release = () => void;

const STOPS = "button, a[href], input";

export function stopsOf(element: HTMLElement): HTMLElement[] {
  return [...element.querySelectorAll<HTMLElement>(STOPS)].filter((each) => each.offsetParent || each.getClientRects().length);
}

/** Somebody writes: the keyboard is not taken away. */
export function isTyping(page: Document): boolean {
  const active = page.activeElement as HTMLElement | null;
  return !!active && (active.isContentEditable || /^(input|textarea|select|iframe)$/i.test(active.tagName));
}

/** Focus stays within, as in a modal dialog. */
export function holdFocus(page: Document, element: HTMLElement): Release {
  const root = element.getRootNode() as ShadowRoot;
  const turn = (event: KeyboardEvent): void => {
    if (event.key !== "Tab") return;
    const stops = stopsOf(element);
    const [from, to] = event.shiftKey ? [stops[0], stops[stops.length - 1]] : [stops[stops.length - 1], stops[0]];
    if (root.activeElement !== from && root.activeElement !== element) return;
    event.preventDefault();
    to?.focus();
  };
  const back = (event: FocusEvent): void => {
    if (event.target !== root.host) element.focus({ preventScroll: true });
  };
  element.addEventListener("keydown", turn);
  page.addEventListener("focusin", back);
  return () => page.removeEventListener("focusin", back);
}

/**
 * A card beside an element comes after it in the order of the Tab key: from the element
 * into the card, from its end to what follows the element, and back the same way.
 */
export function joinFocus(page: Document, card: HTMLElement, anchor: () => HTMLElement | null): Release {
  const root = card.getRootNode() as ShadowRoot;
  const turn = (event: KeyboardEvent): void => {
    const element = anchor();
    if (event.key !== "Tab" || !element) return;
    const stops = stopsOf(card);
    const { activeElement } = root;
    if (!activeElement) {
      if (activeIn(page) !== element || event.shiftKey) return;
      event.preventDefault();
      stops[0]?.focus();
    } else if (event.shiftKey && (activeElement === stops[0] || activeElement === card)) {
      event.preventDefault();
      element.focus();
    } else if (!event.shiftKey && activeElement === stops[stops.length - 1]) {
      // The browser goes on from there.
      element.focus();
    }
  };
  page.addEventListener("keydown", turn, true);
  return () => page.removeEventListener("keydown", turn, true);
}
