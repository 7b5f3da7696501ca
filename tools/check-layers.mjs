// node tools/check-layers.mjs [root]: prints one line for each violation of layers.json, and exits 1 if there is any.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { checkLayers } from "./lib/layers.mjs";

const violations = checkLayers(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));
for (const line of violations) console.log(line);
if (violations.length > 0) process.exit(1);
