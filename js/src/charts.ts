/** Draws the charts of a page from the specifications Python built.
 *
 * A specification names colors by role ("$accent"); the page carries their
 * values for both themes, so a chart follows the theme without a new request. */
import vegaEmbed, { type Result, type VisualizationSpec } from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";
import { paint, type Json } from "./paint.ts";
import { isDark } from "./theme.ts";

interface Theme {
  colors: Record<string, string>;
  config: Json;
}
interface Themes {
  light: Theme;
  dark: Theme;
  number: Record<string, unknown>;
  time: Record<string, unknown>;
}
interface Chart {
  figure: HTMLElement;
  plot: HTMLElement;
  spec: Json;
  view?: Result;
}

const charts: Chart[] = [];
document.addEventListener("theme-change", () => {
  for (const chart of charts) if (chart.plot.isConnected) void render(chart);
});

export function draw(figure: HTMLElement): void {
  const plot = figure.querySelector<HTMLElement>(".chart-plot");
  const source = figure.querySelector(".chart-spec")?.textContent;
  if (!plot || !source) return;
  const chart: Chart = { figure, plot, spec: JSON.parse(source) as Json };
  charts.push(chart);
  figure.addEventListener("click", (event) => onClick(event, chart));
  plot.addEventListener("keydown", (event) => onKey(event, chart));
  void render(chart);
}

function themes(): Themes {
  return JSON.parse(document.querySelector("#chart-themes")?.textContent ?? "{}") as Themes;
}

async function render(chart: Chart): Promise<void> {
  const all = themes();
  const { colors, config } = isDark() ? all.dark : all.light;
  const old = chart.view;
  chart.view = await vegaEmbed(chart.plot, paint(chart.spec, colors) as unknown as VisualizationSpec, {
    config: paint(config, colors) as object,
    ast: true,
    expr: expressionInterpreter,
    actions: false,
    renderer: "svg",
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
    formatLocale: all.number,
    timeFormatLocale: all.time,
  });
  old?.finalize();
  chart.plot.querySelector("svg")?.setAttribute("aria-hidden", "true");
  chart.figure.dataset["drawn"] = isDark() ? "dark" : "light";
}

function onClick(event: Event, chart: Chart): void {
  const action = (event.target as Element).closest<HTMLElement>("[data-chart-do]")?.dataset["chartDo"];
  if (action === "table") toggleTable(chart);
  if (action === "csv") save(chart, "csv", URL.createObjectURL(new Blob([csv(chart)], { type: "text/csv" })));
  if (action === "png" || action === "svg") void saveImage(chart, action);
  if (action) chart.figure.querySelector<HTMLDetailsElement>("details.menu[open]")?.removeAttribute("open");
}

function toggleTable(chart: Chart): void {
  const table = chart.figure.querySelector<HTMLElement>(".chart-table");
  if (!table) return;
  table.hidden = !table.hidden;
  chart.plot.hidden = !table.hidden;
  const button = chart.figure.querySelector('[data-chart-do="table"]');
  button?.setAttribute("aria-pressed", String(!table.hidden));
}

async function saveImage(chart: Chart, kind: "png" | "svg"): Promise<void> {
  const view = chart.view?.view;
  if (!view) return;
  view.background(getComputedStyle(chart.figure).backgroundColor);
  save(chart, kind, await view.toImageURL(kind, 2));
  await view.background("transparent").runAsync();
}

function save(chart: Chart, kind: string, url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = `${chart.figure.dataset["chart"] || "chart"}.${kind}`;
  link.click();
}

function cells(row: Element): HTMLTableCellElement[] {
  return [...row.querySelectorAll<HTMLTableCellElement>("th, td")];
}

function csv(chart: Chart): string {
  const rows = [...chart.figure.querySelectorAll(".chart-table tr")];
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  return rows
    .map((row) => cells(row).map((cell) => quote(cell.dataset["value"] ?? cell.innerText.trim())).join(","))
    .join("\r\n");
}

/** Arrow keys read the chart out, row by row. */
function onKey(event: KeyboardEvent, chart: Chart): void {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const rows = [...chart.figure.querySelectorAll(".chart-table tbody tr")];
  const read = chart.figure.querySelector<HTMLElement>(".chart-read");
  if (by === undefined || !read || rows.length === 0) return;
  event.preventDefault();
  const last = Number(read.dataset["at"] ?? (by === 1 ? -1 : rows.length));
  const at = Math.min(Math.max(last + by, 0), rows.length - 1);
  read.dataset["at"] = String(at);
  const heads = cells(chart.figure.querySelector(".chart-table thead tr") as Element);
  const row = rows[at];
  if (row) read.textContent = cells(row).map((cell, i) => `${heads[i]?.innerText ?? ""} ${cell.textContent?.trim()}`).join(" · ");
}
