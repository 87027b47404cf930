/** Theme buttons: the form works alone; this applies the choice at once. */
export function setUpTheme(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const button = (event as SubmitEvent).submitter;
    if (!form.matches("[data-theme-form]") || !(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    choose(button.value);
    for (const other of form.querySelectorAll("button"))
      other.setAttribute("aria-pressed", String(other === button));
    void fetch(form.action, { method: "POST", body: new FormData(form, button) });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announce);
}

function choose(theme: string): void {
  const root = document.documentElement;
  if (theme === "system") root.removeAttribute("data-bs-theme");
  else root.setAttribute("data-bs-theme", theme);
  announce();
}

function announce(): void {
  document.dispatchEvent(new CustomEvent("theme-change"));
}

export function isDark(): boolean {
  const set = document.documentElement.dataset["bsTheme"];
  if (set !== undefined) return set === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}
