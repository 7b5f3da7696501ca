// Loads core's own tables into a tool: its sources, bundled on the fly, so that no build is needed first.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The exports of core's entry files: `graph`, `backend`, … */
export async function loadCore(entry = "graph") {
  const folder = mkdtempSync(join(tmpdir(), "core-table-"));
  const outfile = join(folder, "core.mjs");
  try {
    await build({
      entryPoints: [join(root, `packages/core/src/${entry}.ts`)],
      outfile,
      bundle: true,
      format: "esm",
      platform: "neutral",
      logLevel: "error",
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
