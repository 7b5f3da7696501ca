// Our side of the cases: `node bench/ours.mjs CASE [SYSTEM…]` prints JSON lines in the format of ../shared/anchors, one for each
// of our systems and tasks. THREADS=1|2 sets the threads. `npm run bench` runs it with `--serve`: see lib/serve.mjs.
import { readdirSync } from "node:fs";
import process from "node:process";
import { threads } from "./lib/measure.mjs";
import { serve } from "./lib/serve.mjs";

process.env.MILLRACE_THREADS ??= String(threads);

const [name, ...rest] = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const cases = readdirSync(new URL("cases", import.meta.url)).map((file) => file.replace(".mjs", ""));
if (!cases.includes(name)) {
  console.error(`usage: node bench/ours.mjs ${cases.join("|")} [SYSTEM…]`);
  process.exit(2);
}
const { systems } = await import(`./cases/${name}.mjs`);
await serve(systems, rest, process.argv.slice(2));
// A pool or a timer of the library must not keep a finished process.
process.exit();
