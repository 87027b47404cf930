import { plain } from "../show/find.ts";
import { pierce } from "../show/pierce.ts";
import { dress, make, onEscape } from "../show/dom.ts";
import { watch } from "../show/watch.ts";
import { selectorsOf, type Found } from "./selectors.ts";
import { STYLE } from "./style.ts";
import { up, walk } from "./walk.ts";

/** For which step, in the words of the member's language. */
export interface Task {
  step: string;
  language: string;
  direction: string;
  words: Record<
    | "point"
    | "browse"
    | "pick"
    | "cancel"
    | "use"
    | "again"
    | "one"
    | "weak"
    | "shut"
    | "keys"
    | "saved"
    | "failed"
    | "close",
    string
  >;
}

interface Ends {
  send(found: { selectors: string[]; text: string }): Promise<boolean>;
  ended(): void;
  /** Does the page rest from being pointed at? Remembered from page to page. */
  rests: boolean;
  remember(rests: boolean): void;
}

const LONGEST_TEXT = 120;
/** What would happen to the page while somebody only points at it. */
const HELD = ["pointerdown", "pointerup", "mousedown", "mouseup", "dblclick", "submit"];

/** Pointing, then a look at what was chosen, then saved. In between people may use the
 * page as ever, to get to where the element is. */
export function startPicker(page: Document, task: Task, { send, ended, rests, remember }: Ends): void {
  const { words } = task;
  const asked = words.point.replace("{step}", task.step);
  const host = page.createElement("perennial-pick");
  const shadow = host.attachShadow({ mode: "open" });
  dress(page, shadow, STYLE);
  const outline = make(page, "div", { class: "outline" });
  const bar = make(page, "div", { class: "bar", role: "dialog", "aria-label": asked, lang: task.language, dir: task.direction, tabindex: "-1" });
  const title = make(page, "p", { class: "title" });
  const said = make(page, "p", { class: "said", role: "status" });
  const buttons = make(page, "div", { class: "buttons" });
  bar.append(title, said, buttons);
  shadow.append(outline, bar);
  let target: Element | null = null;
  let chosen: Found | null = null;
  let isPointing = false;

  function button(label: string, work: () => void, isMain = false): HTMLButtonElement {
    const made = make(page, "button", { type: "button", ...(isMain ? { class: "main" } : {}) }, label);
    made.addEventListener("click", work);
    return made;
  }

  function point(): void {
    isPointing = true;
    chosen = null;
    remember(false);
    title.textContent = asked;
    said.textContent = words.keys;
    buttons.replaceChildren(button(words.browse, rest), button(words.cancel, end));
    bar.focus();
    settle();
  }

  /** The page is used as ever. */
  function rest(): void {
    isPointing = false;
    remember(true);
    target = null;
    title.textContent = asked;
    said.textContent = "";
    buttons.replaceChildren(button(words.pick, point, true), button(words.cancel, end));
    settle();
  }

  function aim(at: Element | null): void {
    if (!at || at === target) return;
    target = at;
    said.textContent = nameOf(at);
    settle();
  }

  function choose(): void {
    if (!target) return;
    isPointing = false;
    chosen = selectorsOf(target);
    const use = button(words.use, () => void save(), true);
    title.textContent = nameOf(target);
    said.replaceChildren(
      make(page, "code", {}, chosen.selectors[0] || ""),
      make(page, "span", chosen.isWeak ? { class: "weak" } : {}, chosen.isWeak ? words.weak : words.one),
    );
    if (isShut(target)) said.append(make(page, "span", { class: "weak" }, words.shut));
    buttons.replaceChildren(use, button(words.again, point), button(words.cancel, end));
    use.focus();
    settle();
  }

  async function save(): Promise<void> {
    const text = plain(target?.textContent || "").slice(0, LONGEST_TEXT);
    const isSaved = await send({ selectors: chosen!.selectors, text });
    said.textContent = isSaved ? words.saved : words.failed;
    if (!isSaved) return;
    ended();
    target = null;
    title.textContent = task.step;
    const close = button(words.close, end, true);
    buttons.replaceChildren(close);
    close.focus();
    settle();
  }

  function end(): void {
    ended();
    stopWatching();
    for (const name of HELD) page.removeEventListener(name, hold, true);
    page.removeEventListener("pointermove", move, true);
    page.removeEventListener("click", click, true);
    page.removeEventListener("keydown", key, true);
    host.remove();
  }

  /** The outline follows; the bar is never over what is pointed at. */
  function settle(): void {
    if (host.parentNode !== home()) home().append(host);
    // Made anew by the page: the same element by what was chosen, or by nothing.
    if (target && !target.isConnected) target = chosen && (pierce(page, chosen.selectors[0]!)[0] || null);
    outline.hidden = !target;
    if (!target) return;
    const { left, top, width, height } = target.getBoundingClientRect();
    Object.assign(outline.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    const low = bar.offsetHeight + 32;
    bar.classList.toggle("high", top + height > page.documentElement.clientHeight - low && top > low);
  }

  function home(): Element {
    return [...page.querySelectorAll("dialog[open]")].pop() || page.body;
  }

  const isOurs = (event: Event): boolean => event.target === host;

  function hold(event: Event): void {
    if (!isPointing || isOurs(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function move(event: Event): void {
    if (isPointing && !isOurs(event)) aim(up(event.composedPath()[0] as Element));
  }

  function click(event: Event): void {
    if (!isPointing || isOurs(event)) return;
    hold(event);
    aim(up(event.composedPath()[0] as Element));
    choose();
  }

  function key(event: KeyboardEvent): void {
    const isOnButton = shadow.activeElement instanceof HTMLButtonElement;
    if (!isPointing || (event.key === "Enter" && isOnButton)) return;
    const next = walk(page, target, event.key);
    if (event.key === "Enter") choose();
    else if (next) {
      aim(next);
      next.scrollIntoView({ block: "nearest" });
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  for (const name of HELD) page.addEventListener(name, hold, true);
  page.addEventListener("pointermove", move, true);
  page.addEventListener("click", click, true);
  page.addEventListener("keydown", key, true);
  onEscape(bar, () => (chosen ? point() : end()));
  const stopWatching = watch(page, settle);
  settle();
  if (rests) rest();
  else point();
}

/** A frame, or an element of the page's own making that shows something and lets nobody
 * see what: scripts get no further. */
function isShut(element: Element): boolean {
  const { localName, shadowRoot, childNodes } = element;
  return /^i?frame$/.test(localName) || (localName.includes("-") && !shadowRoot && !childNodes.length);
}

/** "button “Export”" */
function nameOf(element: Element): string {
  const text = plain(element.getAttribute("aria-label") || element.textContent).slice(0, 60);
  return text ? `${element.localName} “${text}”` : element.localName;
}
