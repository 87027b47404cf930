/** Elements of ours on somebody's page: no markup from text, no style attribute. */

/** An element with attributes and text; text is never read as markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  page: Document,
  name: K,
  attributes: Record<string, string> = {},
  text = "",
): HTMLElementTagNameMap[K] {
  const element = page.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

/** A style of its own for a shadow; strict policies allow those that are constructed. */
export function dress(page: Document, shadow: ShadowRoot, style: string): void {
  const view = page.defaultView;
  if (view && "adoptedStyleSheets" in shadow) {
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(style);
    shadow.adoptedStyleSheets = [sheet];
  } else {
    shadow.append(make(page, "style", {}, style));
  }
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawing of lines, 24 by 24, in the color of the text around it. */
export function icon(page: Document, path: string): SVGElement {
  const drawing = page.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const line = page.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}

export function onEscape(element: HTMLElement, work: () => void): void {
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    work();
  });
}
