// Builds the bundle, the icon sprite and the manifest into the Python package.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { LIMIT_BYTES, PICK_LIMIT_BYTES, SHOW_LIMIT_BYTES, VERSIONS, snippet } from "./snippet.mjs";
import { iconsUsed, sprite } from "./sprite.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "../src/perennial");
const out = join(source, "ui/static/dist");

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/app.ts", style: "css/app.css" },
  outdir: out,
  bundle: true,
  minify: true,
  metafile: true,
  splitting: true,
  format: "esm",
  target: ["chrome123", "firefox128", "safari17.5"],
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file" },
  logLevel: "warning",
});

const manifest = {};
for (const [file, { entryPoint }] of Object.entries(metafile.outputs)) {
  const name = basename(file);
  if (entryPoint?.startsWith("src/app")) manifest["app.js"] = name;
  if (entryPoint?.startsWith("css/")) manifest["style.css"] = name;
  if (name.startsWith("inter-latin-wght-normal")) manifest["inter.woff2"] = name;
}
const drawings = {
  "icons.svg": sprite(iconsUsed(source)),
  "favicon.svg": readFileSync(join(here, "favicon.svg"), "utf8"),
};
for (const [name, svg] of Object.entries(drawings)) {
  const hash = createHash("sha256").update(svg).digest("hex").slice(0, 8).toUpperCase();
  manifest[name] = name.replace(".", `-${hash}.`);
  writeFileSync(join(out, manifest[name]), svg);
}
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2));

// Without a hash: the address of a published version never changes.
mkdirSync(join(out, "snippet"));
for (const version of VERSIONS) {
  publish(`${version}.js`, await snippet(version), LIMIT_BYTES);
  for (const [part, limit] of [["show", SHOW_LIMIT_BYTES], ["pick", PICK_LIMIT_BYTES]]) {
    const text = await snippet(version, `src/snippet/${part}/${version}.ts`);
    publish(`${version}-${part}.js`, text, limit);
  }
}

function publish(name, text, limit) {
  const bytes = gzipSync(text, { level: 9 }).length;
  if (bytes > limit) throw new Error(`snippet ${name}: ${bytes} bytes compressed`);
  writeFileSync(join(out, "snippet", name), text);
}

for (const file of globSync(join(out, "{*,snippet/*}.{js,css,svg}"))) {
  const body = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(body));
  writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
}
