/** The drawer: `<a href="…" data-drawer>` opens its page in it. Without
 * JavaScript the link is a page. The server answers with the part alone when
 * the request carries `HX-Request`. */
import htmx from "htmx.org";

export function setUpDialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    if (target.matches("dialog")) (target as HTMLDialogElement).close();
    if (target.closest("[data-close]")) target.closest("dialog")?.close();
    const link = target.closest<HTMLAnchorElement>("a[data-drawer]");
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const drawer = document.querySelector<HTMLDialogElement>("#drawer");
    if (drawer === null) return;
    event.preventDefault();
    void open(drawer, link.href);
  });
}

async function open(drawer: HTMLDialogElement, url: string): Promise<void> {
  drawer.querySelector(".drawer-content")?.replaceChildren();
  if (!drawer.open) drawer.showModal();
  await htmx.ajax("get", url, { target: "#drawer .drawer-content", swap: "innerHTML" });
}
