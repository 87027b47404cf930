/** The card of one step: title, text, what can be done. */
import { icon, make } from "./dom.ts";
import { progressOf, type Button, type Guide, type Step } from "./guide.ts";
import { link, prose, safeUrl } from "./prose.ts";

export const CROSS = "M6 6l12 12M18 6L6 18";

export interface Card {
  element: HTMLElement;
  /** What Enter should do, else the card itself. */
  first: HTMLElement;
}

export type Acts = (button: Button) => void;

export function drawCard(page: Document, guide: Guide, at: number, act: Acts): Card {
  const { words, steps } = guide;
  const step = steps[at]!;
  const isBar = step.place === "top" || step.place === "bottom";
  const element = make(page, "div", { class: "card", role: "dialog", tabindex: "-1" });
  const text = make(page, "div", { class: "scroll" });
  const cross = crossOf(page, words.close);
  cross.addEventListener("click", () => act({ label: "", does: "close", url: "" }));
  const head = make(page, "div", { class: "head" });
  if (step.title) {
    head.append(make(page, "h2", { id: "title" }, step.title));
    element.setAttribute("aria-labelledby", "title");
  } else {
    element.setAttribute("aria-label", guide.name);
  }
  if (step.body) {
    const body = make(page, "div", { class: "prose", id: "body" });
    body.append(prose(page, step.body));
    element.setAttribute("aria-describedby", "body");
    text.append(body);
  }
  if (isBar) text.prepend(head);
  else head.append(cross);
  const foot = make(page, "div", { class: "foot" });
  if (steps.length > 1) {
    foot.append(make(page, "span", { class: "progress" }, progressOf(words, at + 1, steps.length)));
  }
  foot.append(...buttonsOf(guide, at).map((each) => draw(page, each, act)));
  element.append(...(isBar ? [text] : [head, text]), foot, ...(isBar ? [cross] : []));
  return { element, first: foot.querySelector<HTMLElement>(".main") || element };
}

export function crossOf(page: Document, label: string): HTMLButtonElement {
  const cross = make(page, "button", { class: "plain", type: "button", "aria-label": label });
  cross.append(icon(page, CROSS));
  return cross;
}

/** Those of the step; and what leads on, where neither they nor a click or event do. */
export function buttonsOf({ steps, words }: Guide, at: number): Button[] {
  const { advance, buttons }: Step = steps[at]!;
  const made = [...buttons];
  if (!made.length && at > 0) made.push({ label: words.back, does: "back", url: "" });
  if (advance === "button" && !made.some(({ does }) => does !== "back" && does !== "snooze")) {
    const isLast = at === steps.length - 1;
    made.push({ label: isLast ? words.done : words.next, does: isLast ? "done" : "next", url: "" });
  }
  return made;
}

function draw(page: Document, button: Button, act: Acts): HTMLElement {
  const { label, does, url } = button;
  const isMain = does === "next" || does === "done" || does === "open";
  const style = isMain ? "button main" : "button";
  const made =
    does === "open" && safeUrl(url)
      ? link(page, url, label)
      : make(page, "button", { type: "button" }, label);
  made.className = style;
  made.addEventListener("click", () => act(button));
  return made;
}
