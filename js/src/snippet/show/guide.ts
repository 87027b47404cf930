/** A guide in one language, as the server gives it. */
import type { Anchor } from "./find.ts";
import type { Frame } from "./layer.ts";

export type Does = "next" | "back" | "done" | "close" | "open" | "snooze";

export interface Button {
  label: string;
  does: Does;
  url: string;
}

export interface Step {
  id: string;
  place: "anchor" | "center" | "top" | "bottom" | "corner";
  anchor: Anchor | null;
  /** A path, `*` for anything; empty: every page. */
  page: string;
  title: string;
  body: string;
  advance: "button" | "click" | "event";
  event: string;
  buttons: Button[];
  /** When the element was not found in time. */
  lost: "wait" | "skip" | "end" | "center";
}

export interface Item {
  id: string;
  title: string;
  body: string;
  done: boolean;
  /** Ticked by this event; empty: by using it. */
  event: string;
  does: "guide" | "open" | "none";
  /** The ticket of the guide it begins. */
  guide: string;
  url: string;
}

export interface Words {
  close: string;
  back: string;
  next: string;
  done: string;
  /** "{n} of {all}" */
  progress: string;
  hide: string;
  search: string;
  none: string;
  ticked: string;
}

export interface Guide extends Frame {
  kind: "guide";
  /** Empty in a preview: nothing is told. */
  token: string;
  form:
    | "tooltip"
    | "modal"
    | "banner"
    | "hotspot"
    | "walkthrough"
    | "checklist"
    | "resource_center"
    | "announcement";
  name: string;
  /** What people read above a list, in their language; else the name. */
  title?: string;
  at: number;
  steps: Step[];
  items: Item[];
  words: Words;
}

/** "2 of 4" */
export function progressOf(words: Words, n: number, all: number): string {
  return words.progress.replace("{n}", String(n)).replace("{all}", String(all));
}

/** Something of ours on the page. */
export interface Drawn {
  /** It wants the page for itself now. */
  isBusy(): boolean;
  happened(event: string): void;
  close(): void;
}
