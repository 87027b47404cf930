/** Between the selector of an element and that of one in its open shadow. */
export const PIERCES = " >>> ";

/** All that a selector fits; `my-menu >>> #export` looks into the shadows on its way. */
export function pierce(page: ParentNode, selector: string): HTMLElement[] {
  const [first = "", ...rest] = selector.split(PIERCES);
  const found = [...page.querySelectorAll<HTMLElement>(first)];
  if (!rest.length) return found;
  const within = found.map(({ shadowRoot }) => (shadowRoot ? pierce(shadowRoot, rest.join(PIERCES)) : []));
  return ([] as HTMLElement[]).concat(...within);
}

/** What the keyboard is on, in whatever shadow. */
export function activeIn(page: DocumentOrShadowRoot): Element | null {
  const active = page.activeElement;
  return (active?.shadowRoot && activeIn(active.shadowRoot)) || active;
}
