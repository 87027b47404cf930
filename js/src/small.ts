/** Small helpers of single elements. */
export function setUpSmall(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    target.closest("[data-dismiss]")?.parentElement?.remove();
    const copy = target.closest<HTMLElement>("[data-copy]");
    if (copy) void copyFrom(copy);
  });
  document.addEventListener("input", (event) => mirror(event.target as Element));
  document.addEventListener("change", (event) => {
    const target = event.target as Element;
    target.closest<HTMLFormElement>("form[data-submit-on-change]")?.requestSubmit();
  });
  document.body.addEventListener("htmx:responseError", fail);
  document.body.addEventListener("htmx:sendError", fail);
  new MutationObserver(fadeToasts).observe(document.querySelector(".toasts") ?? document.body, {
    childList: true,
  });
  fadeToasts();
  for (const tabs of document.querySelectorAll<HTMLElement>(".tabs")) showCurrent(tabs);
}

/** Tabs that scroll sideways begin where the page is. */
function showCurrent(tabs: HTMLElement): void {
  const on = tabs.querySelector<HTMLElement>("[aria-current]");
  if (on) tabs.scrollLeft = on.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - on.clientWidth) / 2;
}

/** A slider writes into the field it belongs to, and a field moves its slider. */
function mirror(target: Element): void {
  if (!(target instanceof HTMLInputElement)) return;
  const other = target.dataset["mirror"]
    ? document.querySelector<HTMLInputElement>(target.dataset["mirror"])
    : document.querySelector<HTMLInputElement>(`[data-mirror="#${CSS.escape(target.id)}"]`);
  if (target.id !== "" || target.dataset["mirror"]) if (other) other.value = target.value;
}

/** Copies the value of a field, or the text of any other element. */
async function copyFrom(button: HTMLElement): Promise<void> {
  const from = document.querySelector<HTMLElement>(button.dataset["copy"] ?? "");
  if (from === null) return;
  select(from);
  try {
    await navigator.clipboard.writeText(from instanceof HTMLInputElement ? from.value : (from.textContent ?? ""));
  } catch {
    document.execCommand("copy"); // pages that came over plain http have no clipboard
  }
  button.setAttribute("aria-label", button.dataset["copied"] ?? "");
  const word = button.querySelector(".word");
  if (word) word.textContent = button.dataset["copied"] ?? "";
}

function select(from: HTMLElement): void {
  if (from instanceof HTMLInputElement) from.select();
  else getSelection()?.selectAllChildren(from);
}

function fadeToasts(): void {
  for (const toast of document.querySelectorAll<HTMLElement>(".toast-note[data-fade]")) {
    delete toast.dataset["fade"];
    setTimeout(() => toast.remove(), 6000);
  }
}

/** A part that fails says so in its own place; the page stays. */
function fail(): void {
  const template = document.querySelector<HTMLTemplateElement>("#toast-error");
  const toasts = document.querySelector(".toasts");
  if (template && toasts) toasts.append(template.content.cloneNode(true));
}
