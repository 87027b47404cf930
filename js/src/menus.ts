/** `<details class="menu">` works alone; this closes it and moves in it. */
const OPEN = "details.menu[open]";

export function setUpMenus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>(OPEN))
      if (!(event.target instanceof Node && menu.contains(event.target))) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector<HTMLDetailsElement>(OPEN);
    if (menu === null) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector<HTMLElement>("summary")?.focus();
    } else if (document.activeElement instanceof HTMLInputElement && document.activeElement.type === "date") {
      return; // there they count up and down
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      step(menu, event.key === "ArrowDown" ? 1 : -1);
    }
  });
}

function step(menu: HTMLElement, by: 1 | -1): void {
  const items = [...menu.querySelectorAll<HTMLElement>(".menu-panel :is(a, button, input:not([type=hidden]))")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + by + items.length) % items.length]?.focus();
}
