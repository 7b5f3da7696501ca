// Our side of the cases: `node bench/ours.mjs CASE [SYSTEM…]` prints JSON lines in the format of ../shared/anchors, one for each
// of our systems and tasks. THREADS=1|2 sets the threads. `npm run bench` runs it with `--serve`: see lib/serve.mjs.
import { readdirSync } from "node:fs";
import process from "node:process";
import { threads } from "./lib/measure.mjs";
import { serve } from "./lib/serve.mjs";

process.env.MILLRACE_THREADS ??= String(threads);

const files = readdirSync(new URL("cases", import.meta.url)).sort();
const cases = {};
for (const file of files) cases[file.replace(".mjs", "")] = (await import(`./cases/${file}`)).systems;
await serve(cases);
// A pool or a timer of the library must not keep a finished process.
process.exit();
