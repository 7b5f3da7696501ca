import { readFileSync } from "node:fs";
import type { Options } from "tsup";

type Exports = string | { readonly [condition: string]: Exports };

/** The source files that a package's `exports` name under `@millrace/source`: its entry points, kept in that one place. */
function entries(exports: Exports): string[] {
  if (typeof exports === "string") return [];
  return Object.entries(exports).flatMap(([key, value]) =>
    key === "@millrace/source" && typeof value === "string" ? [value] : entries(value),
  );
}

/** JavaScript by tsup; declarations come unbundled from `tsc -p tsconfig.build.json`, so that they keep the modules. */
export const base: Options = {
  entry: entries(JSON.parse(readFileSync("package.json", "utf8")).exports),
  format: ["esm"],
  target: "es2022",
  platform: "neutral",
  dts: false,
  sourcemap: true,
  clean: true,
  treeshake: false,
};
