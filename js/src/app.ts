import htmx from "htmx.org";
import { drawCharts } from "./charts-loader.ts";
import { setUpDialogs } from "./dialogs.ts";
import { setUpKeys } from "./keys.ts";
import { setUpMenus } from "./menus.ts";
import { setUpPalette } from "./palette.ts";
import { setUpSmall } from "./small.ts";
import { setUpTheme } from "./theme.ts";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;

setUpMenus();
setUpDialogs();
setUpPalette();
setUpKeys();
setUpTheme();
setUpSmall();

drawCharts(document.body);
document.body.addEventListener("htmx:load", (event) => {
  if (event.target instanceof Element) drawCharts(event.target);
});
