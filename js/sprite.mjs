// One SVG with the Tabler icons that templates and Python code name.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const icons = fileURLToPath(new URL("node_modules/@tabler/icons/icons", import.meta.url));

// {% icon "name" %}, icon("name"), icon="name", "icon": "name"; and any name that
// ends in "-filled", which picks the filled drawing.
const NAMES = /\bicon"?\s*[=:(]?\s*"([a-z0-9-]+)"|"([a-z0-9-]+-filled)"/g;

export function iconsUsed(source) {
  const names = new Set();
  for (const file of globSync(join(source, "**/*.{html,py}")))
    for (const [, name, filled] of readFileSync(file, "utf8").matchAll(NAMES))
      names.add(name ?? filled);
  return [...names].sort();
}

export function sprite(names) {
  return `<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join("")}</svg>`;
}

function symbol(name) {
  const filled = name.endsWith("-filled");
  const file = filled
    ? join(icons, "filled", `${name.slice(0, -7)}.svg`)
    : join(icons, "outline", `${name}.svg`);
  if (!existsSync(file)) throw new Error(`there is no Tabler icon named ${name}`);
  const body = readFileSync(file, "utf8")
    .replace(/<!--.*?-->/gs, "")
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "");
  const inner = body.slice(body.indexOf(">") + 1, body.lastIndexOf("</svg>"));
  const paint = filled
    ? 'fill="currentColor"'
    : 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="${name}" viewBox="0 0 24 24"><g ${paint}>${inner.replace(/\s+/g, " ").trim()}</g></symbol>`;
}
