/** Help at hand: guides to begin, pages to open, and a search over them. */
import type { Job } from "../things.ts";
import { icon, make } from "./dom.ts";
import type { Drawn, Guide, Item } from "./guide.ts";
import { drawItem, type Begin } from "./item.ts";
import { openLauncher, walkByArrows } from "./launcher.ts";
import type { Tells } from "./teller.ts";

const HELP = "M9 9.5a3 3 0 1 1 4.6 2.5c-1 .6-1.6 1.2-1.6 2.5M12 18v.01";
const SEARCH = "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M15.5 15.5L20 20";
const MARKS = {
  guide: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M10.5 8.5l5 3.5-5 3.5z",
  open: "M6 3h8l5 5v13H6zM14 3v5h5",
  none: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M12 11v5M12 8v.01",
};

export function showResources(page: Document, guide: Guide, job: Job, tell: Tells, begin: Begin): Drawn {
  const { items, words } = guide;
  const launcher = openLauncher(page, guide, job);
  launcher.button.classList.add("round");
  launcher.button.setAttribute("aria-label", guide.name);
  launcher.button.append(icon(page, HELP));
  const search = make(page, "div", { class: "search" });
  const field = make(page, "input", { type: "search", "aria-label": words.search, placeholder: words.search });
  const list = make(page, "ul", { class: "items" });
  const none = make(page, "p", { class: "none", role: "status" });
  search.append(icon(page, SEARCH), field);
  launcher.panel.querySelector(".head")!.after(search, list, none);

  function use(item: Item): void {
    tell("clicked", item.id);
    if (item.does === "guide") begin(item.guide, () => undefined);
  }

  function draw(): void {
    const found = matching(items, field.value);
    list.replaceChildren(
      ...found.map((item) => {
        const line = make(page, "li");
        line.append(drawItem(page, item, icon(page, MARKS[item.does]), use));
        return line;
      }),
    );
    none.hidden = found.length > 0;
    none.textContent = found.length ? "" : words.none;
  }

  field.addEventListener("input", draw);
  walkByArrows(launcher.panel, () => [field, ...list.querySelectorAll<HTMLElement>("button.item, a.item")]);
  draw();
  tell("seen");
  return { isBusy: () => false, happened: () => undefined, close: launcher.close };
}

/** Items that have every word somewhere, in their order. */
export function matching(items: Item[], text: string): Item[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ title, body }) => {
    const all = `${title} ${body}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
