// Builds the browser snippet: one file for each published version, which stays for ever.
import { build } from "esbuild";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** What a page pays at most for a snippet, compressed by gzip. */
export const LIMIT_BYTES = 6 * 1024;
/** And for the part that draws, which comes when there is something to show. */
export const SHOW_LIMIT_BYTES = 19 * 1024;
/** And for the picker, which comes only to members of the team. */
export const PICK_LIMIT_BYTES = 6 * 1024;

export const VERSIONS = ["v1"];

/** The text of one version: a plain script for browsers since 2018, without a map. */
export async function snippet(version, entry = `src/snippet/${version}.ts`) {
  const { outputFiles } = await build({
    absWorkingDir: dirname(fileURLToPath(import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2018",
    charset: "ascii",
    legalComments: "none",
    banner: { js: `/*! Perennial browser snippet ${version}, Apache-2.0 */` },
    logLevel: "warning",
    write: false,
  });
  return outputFiles[0].text;
}
