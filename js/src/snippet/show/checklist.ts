/** What a new customer does first: items that are ticked by what happens. */
import type { Job } from "../things.ts";
import { safely } from "../surroundings.ts";
import { icon, make } from "./dom.ts";
import { progressOf, type Drawn, type Guide, type Item } from "./guide.ts";
import { drawItem, type Begin } from "./item.ts";
import { openLauncher, walkByArrows } from "./launcher.ts";
import type { Tells } from "./teller.ts";

const CHECK = "M5 13l4 4L19 7";
const LIST = "M4 6l1.5 1.5L8 5M4 13l1.5 1.5L8 12M12 6.5h8M12 13.5h8M12 20h8M5 20h1";

export function showChecklist(page: Document, guide: Guide, job: Job, tell: Tells, begin: Begin): Drawn {
  const { items, words } = guide;
  const done = remembered(page.defaultView!, job.thing.id);
  for (const item of items) if (item.done) done.ids.add(item.id);
  const launcher = openLauncher(page, guide, job, () => tell("dismissed"));
  const count = make(page, "span", { class: "count" });
  const meter = make(page, "div", { class: "meter" });
  const bar = make(page, "span");
  const summary = make(page, "p", { class: "summary" });
  const list = make(page, "ul", { class: "items" });
  launcher.button.append(icon(page, LIST), make(page, "span", {}, guide.name), count);
  meter.append(bar);
  launcher.panel.querySelector(".head")!.after(summary, meter, list);
  walkByArrows(list, () => [...list.querySelectorAll<HTMLElement>("button.item, a.item")]);

  function use(item: Item): void {
    tell("clicked", item.id);
    const isBegun = item.does === "guide";
    if (isBegun) begin(item.guide, () => item.event || tick(item));
    else if (!item.event) tick(item);
  }

  function tick(item: Item): void {
    if (done.ids.has(item.id)) return;
    done.add(item.id);
    tell("step", item.id);
    launcher.layer.say(`${words.ticked} ${item.title}, ${progress()}`);
    draw();
    if (items.every(({ id }) => done.ids.has(id))) tell("done");
  }

  const progress = (): string => progressOf(words, countDone(), items.length);
  const countDone = (): number => items.filter(({ id }) => done.ids.has(id)).length;

  function draw(): void {
    count.textContent = summary.textContent = progress();
    bar.style.width = `${(100 * countDone()) / Math.max(1, items.length)}%`;
    const focused = (list.getRootNode() as ShadowRoot).activeElement?.id;
    list.replaceChildren(...items.map(line));
    if (focused) list.querySelector<HTMLElement>(`#${CSS.escape(focused)}`)?.focus();
  }

  function line(item: Item): HTMLElement {
    const isDone = done.ids.has(item.id);
    const whole = make(page, "li", isDone ? { class: "is-done" } : {});
    const mark = make(page, "span", { class: "tick" });
    if (isDone) {
      mark.append(icon(page, CHECK));
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", words.ticked);
    }
    whole.append(drawItem(page, item, mark, use, !isDone));
    return whole;
  }

  draw();
  tell("seen");
  return {
    isBusy: () => false,
    happened: (event) => items.filter((item) => item.event && item.event === event).forEach(tick),
    close: launcher.close,
  };
}

/** What was ticked in this tab before the server knew of it. */
function remembered(view: Window, id: string): { ids: Set<string>; add(id: string): void } {
  const name = `perennial:ticked:${id}`;
  const ids = new Set<string>();
  safely(() => (JSON.parse(view.sessionStorage.getItem(name) || "[]") as string[]).forEach((each) => ids.add(each)))();
  return {
    ids,
    add: (each) => {
      ids.add(each);
      safely(() => view.sessionStorage.setItem(name, JSON.stringify([...ids])))();
    },
  };
}
