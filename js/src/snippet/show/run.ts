/** A guide of steps: finds each step's place, draws it, and goes on when it should. */
import { isPage, type Job } from "../things.ts";
import { drawCard, type Card } from "./card.ts";
import { make, onEscape } from "./dom.ts";
import { find, isVisible } from "./find.ts";
import { holdFocus, isTyping, joinFocus, type Release } from "./focus.ts";
import { keepGoing, stopGoing } from "./going.ts";
import { progressOf, type Button, type Drawn, type Guide } from "./guide.ts";
import { openLayer } from "./layer.ts";
import { placeBeside, type Rect } from "./place.ts";
import type { Tells } from "./teller.ts";
import { watch } from "./watch.ts";

const LOST_AFTER_MS = 8_000;
const SEEKS_AGAIN_MS = 200;
const RING = 4;

export function runSteps(
  page: Document,
  guide: Guide,
  job: Job,
  tell: Tells,
  ended: (isDone: boolean) => void,
): Drawn {
  const { steps, form, words } = guide;
  const view = page.defaultView!;
  const isPreview = !guide.token;
  const isHotspot = form === "hotspot";
  const isLong = !isPreview && !job.thing.stays && steps.length > 1;
  const layer = openLayer(page, guide);
  const before = page.activeElement as HTMLElement | null;
  let at = Math.min(Math.max(guide.at, 0), steps.length - 1);
  let anchor: HTMLElement | null = null;
  let waitsSince = Date.now();
  let missedAt = 0;
  let wasFound = false;
  let isLost = false;
  let isNew = true;
  let isOpened = !isHotspot || isPreview;
  let hadFocus = false;
  let isEnded = false;
  let card: Card | undefined;
  let ring: HTMLElement | undefined;
  let release: Release | undefined;

  const step = () => steps[at]!;

  /** Everything is seen again whenever something may have changed. */
  function look(): void {
    if (isEnded) return;
    layer.keep();
    if (!isHere()) {
      isLost = false;
      waitsSince = Date.now();
      return conceal();
    }
    if (step().place !== "anchor") return reveal();
    if (!anchor || !isVisible(anchor)) anchor = seek();
    if (anchor) {
      wasFound = true;
      isLost = false;
      return reveal();
    }
    if (isLost) settle();
    // What was there and went away, as with a route, is not lost: it may come back.
    else if (!wasFound && Date.now() - waitsSince >= (isPreview ? 0 : LOST_AFTER_MS)) lose();
    else conceal();
  }

  function isHere(): boolean {
    const { pathname } = page.location;
    const ofThing = job.thing.stays ? job.thing.pages : [];
    return isPreview || (isPage(step().page ? [step().page] : [], pathname) && isPage(ofThing, pathname));
  }

  function seek(): HTMLElement | null {
    if (isPreview) return page.querySelector<HTMLElement>("[data-anchor]");
    const now = Date.now();
    // A page that is always moving is not searched with each of its pictures.
    if (now - missedAt < SEEKS_AGAIN_MS) return null;
    const found = step().anchor && find(page, step().anchor!);
    if (!found) missedAt = now;
    return found;
  }

  function lose(): void {
    tell("lost", step().id);
    isLost = true;
    const { lost } = step();
    if (lost === "center") reveal();
    else if (lost === "end") end();
    else if (lost === "skip" && at + 1 < steps.length) move(at + 1);
    else if (lost === "skip" && !job.thing.stays) end(at > 0 ? "done" : undefined);
  }

  function conceal(): void {
    hadFocus = hadFocus || layer.hasFocus();
    release?.();
    card?.element.remove();
    ring?.remove();
    release = card = ring = undefined;
  }

  function reveal(): void {
    if (isOpened ? !card : !ring) {
      conceal();
      if (isOpened) open();
      else drawDot();
    }
    settle();
  }

  function drawDot(): void {
    const dot = make(page, "button", { class: "dot", type: "button", "aria-label": step().title || guide.name });
    dot.addEventListener("click", () => {
      isOpened = hadFocus = true;
      look();
    });
    ring = dot;
    layer.root.append(dot);
    tell("seen", step().id);
  }

  function open(): void {
    const { place } = step();
    const isModal = place === "center" && !isLost;
    card = drawCard(page, guide, at, act);
    const { element, first } = card;
    onEscape(element, () => act({ label: "", does: "close", url: "" }));
    if (place === "anchor") {
      ring = make(page, "div", { class: form === "walkthrough" ? "ring dim" : "ring" });
      ring.hidden = !anchor;
      element.append(make(page, "div", { class: "arrow" }));
    } else {
      const style = { center: "center modal", corner: "corner", top: "bar at-top", bottom: "bar at-bottom" }[place];
      element.classList.add(...style.split(" "));
      if (isModal) ring = make(page, "div", { class: "veil" });
    }
    if (isModal) element.setAttribute("aria-modal", "true");
    layer.root.append(...(ring ? [ring] : []), element);
    // A preview stands in a page of ours: it neither takes nor keeps the keyboard.
    const isPreview = !guide.token;
    release = isModal && !isPreview ? holdFocus(page, element) : joinFocus(page, element, () => anchor);
    settle();
    const takesFocus = isModal || (isNew && form === "walkthrough" && !isTyping(page));
    if (hadFocus || (takesFocus && !isPreview)) first.focus({ preventScroll: true });
    else if (isNew) layer.say([step().title, progressText()].filter(Boolean).join(", "));
    tell("seen", step().id);
    tell("step", step().id);
    if (isNew) scrollThere();
    isNew = hadFocus = false;
  }

  function progressText(): string {
    return steps.length > 1 ? progressOf(words, at + 1, steps.length) : "";
  }

  /** Card, ring and arrow go where the element is now. */
  function settle(): void {
    if (step().place !== "anchor") return;
    const origin = layer.origin();
    const size = { width: page.documentElement.clientWidth, height: view.innerHeight };
    const { left, top, width, height } = anchor?.getBoundingClientRect() || middle(size);
    const around = { left: left - RING, top: top - RING, width: width + 2 * RING, height: height + 2 * RING };
    if (ring && !isOpened) put(ring, { left: left + (guide.direction === "rtl" ? 0 : width), top }, origin);
    if (!card || !isOpened) return;
    if (ring) {
      ring.hidden = !anchor;
      put(ring, around, origin);
    }
    const { element } = card;
    const spot = placeBeside(around, { width: element.offsetWidth, height: element.offsetHeight }, size);
    put(element, spot, origin);
    point(element.querySelector<HTMLElement>(".arrow")!, spot.side, spot.arrow, !anchor);
  }

  function scrollThere(): void {
    if (!anchor) return;
    const { top, bottom } = anchor.getBoundingClientRect();
    const isCalm = view.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const isSeen = top >= 0 && bottom <= view.innerHeight;
    // Seen in the window, it may still be out of sight in a part that scrolls by itself.
    anchor.scrollIntoView({ block: isSeen ? "nearest" : "center", behavior: isCalm ? "auto" : "smooth" });
  }

  function act({ does }: Button): void {
    if (does === "open") tell("clicked", step().id);
    if (does === "next" || does === "open") move(at + 1, does === "next");
    else if (does === "back") move(at - 1, true);
    else if (does === "done") end("done");
    else if (does === "snooze") end("snoozed");
    else end(at > 0 && at === steps.length - 1 ? "done" : "dismissed");
  }

  /** To another step; with `loads`, to its page as well if that is another one. */
  function move(to: number, loads = false): void {
    if (to >= steps.length) return end("done");
    conceal();
    at = Math.max(0, to);
    anchor = null;
    wasFound = isLost = false;
    isNew = true;
    missedAt = 0;
    waitsSince = Date.now();
    remember();
    const { page: path } = step();
    if (loads && !isHere() && /^\/(?!\/)[^*]*$/.test(path)) page.location.assign(path);
    else look();
  }

  function remember(): void {
    if (isLong) keepGoing(view, job, guide, at);
  }

  function end(how?: "done" | "dismissed" | "snoozed"): void {
    const hasFocus = hadFocus || layer.hasFocus();
    close();
    if (isLong) stopGoing(view);
    if (how) tell(how, step().id);
    if (hasFocus) (before?.isConnected && before !== page.body ? before : anchor)?.focus({ preventScroll: true });
    ended(how === "done");
  }

  function close(): void {
    isEnded = true;
    stopWatching();
    page.removeEventListener("click", clicked, true);
    release?.();
    layer.close();
  }

  /** The page does what it does with the click; the next page knows that it was made. */
  function clicked(event: Event): void {
    if (step().advance !== "click" || !anchor || !card || layer.isOurs(event.target!)) return;
    const way = event.composedPath();
    // The page may have made the element anew between two looks.
    if (way.includes(anchor) || way.includes(seek()!)) move(at + 1);
  }

  page.addEventListener("click", clicked, true);
  const stopWatching = watch(page, look);
  remember();
  look();
  return {
    isBusy: () => !job.thing.stays && !!card,
    happened: (event) => {
      if (step().advance === "event" && step().event === event && card) move(at + 1);
    },
    close,
  };
}

function middle({ width, height }: { width: number; height: number }): Rect {
  return { left: width / 2, top: height / 3, width: 0, height: 0 };
}

function put(element: HTMLElement, spot: Partial<Rect>, origin: { left: number; top: number }): void {
  const { style } = element;
  style.left = `${spot.left! - origin.left}px`;
  style.top = `${spot.top! - origin.top}px`;
  if (spot.width !== undefined) style.width = `${spot.width}px`;
  if (spot.height !== undefined) style.height = `${spot.height}px`;
}

function point(arrow: HTMLElement, side: string, along: number, isHidden: boolean): void {
  const { style } = arrow;
  arrow.hidden = isHidden;
  const isUpright = side === "bottom" || side === "top";
  const [from, line] = isUpright ? (["top", "left"] as const) : (["left", "top"] as const);
  style[line] = `${along - 6}px`;
  style[from] = side === "bottom" || side === "right" ? "-5px" : "calc(100% - 7px)";
}
