/** J and K walk the rows, X ticks one, ? explains, a single letter presses the element that
 * carries it in `data-key`. People can turn these off in their profile. */
export function setUpKeys(): void {
  if (document.body.dataset["shortcuts"] === "off") return;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (press(event.key.toLowerCase())) event.preventDefault();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select"))
  );
}

function press(key: string): boolean {
  if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1);
  if (key === "x") return choose();
  if (key === "?") return click(explainLink());
  if (!/^[a-z]$/.test(key)) return false;
  return click(document.querySelector<HTMLElement>(`[data-key="${key}"]`));
}

/** Ticks the row one is at. */
function choose(): boolean {
  return click(document.querySelector<HTMLElement>(".is-current input[type=checkbox]"));
}

function click(element: HTMLElement | null): boolean {
  element?.click();
  return element !== null;
}

function explainLink(): HTMLElement | null {
  const near = document.activeElement?.closest("tr, .tile, .card, li");
  return near?.querySelector<HTMLElement>("[data-explain]") ?? document.querySelector<HTMLElement>("[data-explain]");
}

function walk(by: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-rows] :is(tbody > tr, li, .row-item):has(a[href])")];
  if (rows.length === 0) return false;
  const at = rows.findIndex((row) => row.classList.contains("is-current") || row.contains(document.activeElement));
  const next = rows[at === -1 && by === -1 ? rows.length - 1 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  for (const row of rows) row.classList.toggle("is-current", row === next);
  next?.querySelector<HTMLElement>(".name a[href], a[href]")?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return true;
}
