// `@millrace/core/run` as one minified file: what runs a saved graph, its ops without the rules that only others read.
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./generated.mjs";
import { strippedNamesIn, stripRules } from "./strip-rules.mjs";

const core = join(root, "packages/core");

/**
 * Bundles the run entry. Rejects where a rule is left.
 * @param {{ entry?: string, minify?: boolean }} [options] another entry file of core, as tests need
 * @returns {Promise<{ code: string, map: string }>} the script and its source map
 */
export async function bundleRun({ entry = "src/run.ts", minify = true } = {}) {
  const common = {
    absWorkingDir: core,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    write: false,
    logLevel: "error",
    outfile: join(core, "dist/run.js"),
  };
  const whole = await build({
    ...common,
    entryPoints: [entry],
    sourcemap: "inline",
    plugins: [stripRules(join(core, "src"))],
  });
  // Which calls have no effect is known across files only once they are one.
  const contents = whole.outputFiles[0].text;
  const stdin = { contents, resolveDir: core, sourcefile: "dist/run.js" };
  const { outputFiles } = await build({ ...common, stdin, minify, sourcemap: "external", legalComments: "none" });
  const [map, script] = ["run.js.map", "run.js"].map(
    (name) => outputFiles.find(({ path }) => path.endsWith(name)).text,
  );
  const left = strippedNamesIn(script);
  if (left.length > 0) throw new Error(`rules are left in the bundle of ${entry}:\n  ${left.join("\n  ")}`);
  return { code: `${script}//# sourceMappingURL=run.js.map\n`, map };
}
