/** One line of a checklist or of a center of resources. */
import { icon, make } from "./dom.ts";
import type { Item } from "./guide.ts";
import { link, prose, safeUrl } from "./prose.ts";

/** Begins the guide of a ticket; `finished` when it came to its end. */
export type Begin = (ticket: string, finished: () => void) => void;

const ICONS = { guide: "M9 5l7 7-7 7", open: "M8 16L17 7M9 7h8v8", none: "" };

export function drawItem(
  page: Document,
  item: Item,
  mark: Element,
  use: (item: Item) => void,
  isOpen = true,
): HTMLElement {
  const url = item.does === "open" ? safeUrl(item.url) : "";
  const element = url
    ? link(page, url, "")
    : item.does === "none" && item.event
      ? make(page, "div")
      : make(page, "button", { type: "button" });
  element.className = "item";
  element.id = `item-${item.id}`;
  element.append(mark, make(page, "span", { class: "title" }, item.title));
  if (ICONS[item.does]) {
    const sign = icon(page, ICONS[item.does]);
    sign.classList.add("turn");
    element.append(sign);
  }
  if (item.body && isOpen) {
    const body = make(page, "span", { class: "prose" });
    body.append(prose(page, item.body));
    element.append(body);
  }
  element.addEventListener("click", () => use(item));
  return element;
}
