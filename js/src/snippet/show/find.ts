import { pierce } from "./pierce.ts";

/** How an element of the page is known: selectors, best first, and what stands on it. */
export interface Anchor {
  selectors: string[];
  text: string;
}

const TOLD_BY_TEXT = "a, button, summary, label, [role=button], [role=link], [role=tab], [role=menuitem]";

/**
 * The element, as the page is now; null: it is not to be seen. A selector that fits
 * several means the one with the text; when none fits, the text alone has to be plain.
 */
export function find(page: Document, { selectors, text }: Anchor): HTMLElement | null {
  const wanted = plain(text);
  for (const selector of selectors) {
    const found = visible(page, selector);
    if (found.length < 2) {
      if (found[0]) return found[0];
      continue;
    }
    return found.find((each) => wanted && plain(each.textContent) === wanted) || found[0]!;
  }
  const said = wanted ? visible(page, TOLD_BY_TEXT).filter((each) => plain(each.textContent) === wanted) : [];
  return said.length === 1 ? said[0]! : null;
}

function visible(page: Document, selector: string): HTMLElement[] {
  try {
    return pierce(page, selector).filter(isVisible);
  } catch {
    return []; // not a selector that this browser knows
  }
}

export function isVisible(element: Element): boolean {
  return element.isConnected && element.getClientRects().length > 0;
}

export function plain(text: string | null): string {
  return (text || "").replace(/\s+/g, " ").trim();
}
