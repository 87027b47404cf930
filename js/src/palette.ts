/** The command palette: a dialog over the page, filled by the server. */
import htmx from "htmx.org";
import { nextIndex } from "./select.ts";

export function setUpPalette(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#palette");
  const input = dialog?.querySelector<HTMLInputElement>("input");
  if (!dialog || !input) return;
  const open = (): void => {
    if (dialog.open) return;
    dialog.showModal();
    input.select();
    htmx.trigger(input, "refresh", {});
  };
  document.addEventListener("click", (event) => {
    if (!(event.target as Element).closest("[data-palette]")) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  input.addEventListener("keydown", (event) => onKey(event, dialog, input));
  dialog.addEventListener("htmx:afterSwap", () => select(dialog, input, 0));
}

function entries(dialog: HTMLElement): HTMLAnchorElement[] {
  return [...dialog.querySelectorAll<HTMLAnchorElement>("[role=option]")];
}

function onKey(event: KeyboardEvent, dialog: HTMLElement, input: HTMLInputElement): void {
  const all = entries(dialog);
  const at = all.findIndex((entry) => entry.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    select(dialog, input, nextIndex(at, all.length, event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter") {
    event.preventDefault();
    const href = all[at]?.href;
    if (href && (event.ctrlKey || event.metaKey)) window.open(href, "_blank", "noopener");
    else all[at]?.click();
  }
}

function select(dialog: HTMLElement, input: HTMLInputElement, index: number): void {
  entries(dialog).forEach((entry, at) => {
    entry.setAttribute("aria-selected", String(at === index));
    if (at !== index) return;
    input.setAttribute("aria-activedescendant", entry.id);
    entry.scrollIntoView({ block: "nearest" });
  });
}
