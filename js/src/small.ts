/** Small helpers of single elements. */
export function setUpSmall(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    target.closest("[data-dismiss]")?.parentElement?.remove();
    const copy = target.closest<HTMLElement>("[data-copy]");
    if (copy) void copyFrom(copy);
  });
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
}

async function copyFrom(button: HTMLElement): Promise<void> {
  const field = document.querySelector<HTMLInputElement>(button.dataset["copy"] ?? "");
  if (field === null) return;
  field.select();
  await navigator.clipboard.writeText(field.value);
  button.setAttribute("aria-label", button.dataset["copied"] ?? "");
  const word = button.querySelector(".word");
  if (word) word.textContent = button.dataset["copied"] ?? "";
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
