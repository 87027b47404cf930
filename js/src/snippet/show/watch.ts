const OFTEN_MS = 250;

/**
 * Calls `work` before the next picture whenever something may have moved: scrolling,
 * size, content; and a few times a second, for routes and transitions, which tell nobody.
 * Returns what ends it.
 */
export function watch(page: Document, work: () => void): () => void {
  const view = page.defaultView!;
  let asked = 0;
  const soon = (): void => {
    asked =
      asked ||
      view.requestAnimationFrame(() => {
        asked = 0;
        work();
      });
  };
  const changes = new view.MutationObserver(soon);
  changes.observe(page.documentElement, { attributes: true, childList: true, subtree: true });
  page.addEventListener("scroll", soon, { capture: true, passive: true });
  view.addEventListener("resize", soon);
  const often = view.setInterval(soon, OFTEN_MS);
  return () => {
    changes.disconnect();
    page.removeEventListener("scroll", soon, { capture: true });
    view.removeEventListener("resize", soon);
    view.clearInterval(often);
    view.cancelAnimationFrame(asked);
  };
}
