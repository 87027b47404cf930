/**
 * Selectors by which an element is found again tomorrow, when the page was built anew:
 * what a person gave it (ids, test ids, names, labels) before where it stands.
 */

import { PIERCES } from "../show/pierce.ts";

export interface Found {
  /** Best first; each fits this element alone. */
  selectors: string[];
  /** Only its place tells it apart. */
  isWeak: boolean;
}

const MOST = 5;
const LONGEST = 500;
const TEST_IDS = ["data-testid", "data-test-id", "data-test", "data-cy", "data-qa", "data-tour", "data-guide"];
const SAID = ["name", "aria-label", "aria-controls", "for", "placeholder", "title", "alt", "role", "type"];
/** Parts of a page that stay when what is in them changes. */
const LANDMARKS = ["main", "nav", "header", "footer", "aside", "form", "dialog", "table"];

/** An element in an open shadow: by its host, then by itself within the shadow. */
export function selectorsOf(element: Element): Found {
  const own = within(element);
  const { host } = element.getRootNode() as ShadowRoot;
  if (!host) return own;
  const holder = selectorsOf(host);
  const [best] = holder.selectors;
  const chains = [...own.selectors.map((each) => best + PIERCES + each), ...holder.selectors.slice(1).map((each) => each + PIERCES + own.selectors[0])];
  const selectors = best && own.selectors.length ? chains.filter((each) => each.length <= LONGEST).slice(0, MOST) : [];
  return { selectors, isWeak: own.isWeak || holder.isWeak };
}

function within(element: Element): Found {
  const fits = (selector: string): boolean => {
    const found = rootOf(element).querySelectorAll(selector);
    return selector.length <= LONGEST && found.length === 1 && found[0] === element;
  };
  const own = namesOf(element);
  const strong = own.filter(fits);
  for (const above of ancestors(element)) {
    if (strong.length >= MOST - 1) break;
    const holder = handleOf(above);
    if (holder) strong.push(...[...own, kindOf(element)].map((name) => `${holder} ${name}`).filter(fits).slice(0, 1));
  }
  const selectors = [...new Set([...strong.slice(0, MOST - 1), pathOf(element)])].filter(fits);
  return { selectors, isWeak: strong.length === 0 };
}

/** What tells the element itself, the surest first. */
function namesOf(element: Element): string[] {
  const kind = kindOf(element);
  const names: string[] = [];
  if (isStable(element.id)) names.push(`#${CSS.escape(element.id)}`);
  for (const name of TEST_IDS) names.push(...attribute("", element, name));
  for (const name of SAID) names.push(...attribute(kind, element, name));
  const href = element.getAttribute("href");
  if (href && /^\/[^?#\d]*$/.test(href)) names.push(`${kind}[href=${quoted(href)}]`);
  const styles = [...element.classList].filter(isStable).slice(0, 3);
  if (styles.length) names.push(kind + styles.map((each) => `.${CSS.escape(each)}`).join(""));
  // Elements of the page's own making are called what they are.
  if (kind.includes("-")) names.push(kind);
  return names;
}

function attribute(kind: string, element: Element, name: string): string[] {
  const value = element.getAttribute(name);
  // References to made-up ids are as short-lived as these.
  const isReference = name === "for" || name === "aria-controls";
  if (!value || value.length > 80 || (isReference && !isStable(value))) return [];
  return [`${kind}[${name}=${quoted(value)}]`];
}

/** How something around the element is known, if it is the only one. */
function handleOf(element: Element): string | undefined {
  const kind = kindOf(element);
  const names = [...namesOf(element).filter((name) => !name.includes("[type=")), ...(LANDMARKS.includes(kind) ? [kind] : [])];
  return names.find((name) => rootOf(element).querySelectorAll(name).length === 1);
}

/** From the nearest element that is known, or from the body, by place alone. */
function pathOf(element: Element): string {
  const parts: string[] = [placeOf(element)];
  for (const above of ancestors(element)) {
    const holder = handleOf(above);
    if (holder || kindOf(above) === "body") return [holder || "body", ...parts].join(" > ");
    parts.unshift(placeOf(above));
  }
  return [":host", ...parts].join(" > ");
}

function rootOf(element: Element): Document | ShadowRoot {
  return element.getRootNode() as Document | ShadowRoot;
}

function placeOf(element: Element): string {
  const kind = kindOf(element);
  const alike = [...(element.parentNode?.children || [])].filter((each) => kindOf(each) === kind);
  return alike.length > 1 ? `${kind}:nth-of-type(${alike.indexOf(element) + 1})` : kind;
}

function ancestors(element: Element): Element[] {
  const above: Element[] = [];
  for (let each = element.parentElement; each; each = each.parentElement) above.push(each);
  return above;
}

function kindOf(element: Element): string {
  return CSS.escape(element.localName);
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\a ")}"`;
}

const LIBRARIES = /^(ember|gwt|ext|yui|react|radix|headlessui|mui|rc|chakra|mantine|el|ng|v)[-_:]?.*\d|^(css|sc|jss|emotion)[-_]|^_?ng/i;

/** Did a person choose this name, or a tool that will choose another tomorrow? */
export function isStable(name: string): boolean {
  if (!/^[a-z][\w-]{1,39}$/i.test(name) || /\d{3}/.test(name) || LIBRARIES.test(name)) return false;
  const parts = name.split(/[-_]+/).filter(Boolean);
  return !parts.some(isMadeUp);
}

function isMadeUp(part: string): boolean {
  // Letters with figures in between, not at the end as in `step2`.
  if (/\d.*[a-z]/i.test(part)) return true;
  const words = part.split(/(?=[A-Z])/);
  if (words.length >= 3 && part.length / words.length < 2.5) return true;
  return /[bcdfghjklmnpqrstvwxz]{5}/i.test(part);
}
