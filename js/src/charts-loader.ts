/** Loads the chart code (vega) only on pages that have a chart. */
export function drawCharts(root: Element): void {
  const charts = root.querySelectorAll<HTMLElement>("[data-chart]:not([data-drawn])");
  if (charts.length === 0) return;
  for (const chart of charts) chart.dataset.drawn = "";
  void import("./charts.ts").then(({ draw }) => charts.forEach((chart) => draw(chart)));
}
