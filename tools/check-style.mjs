// node tools/check-style.mjs [root]: prints one line for each violation of tools/lib/style.mjs, and exits 1 if there is any.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { checkStyle } from "./lib/style.mjs";

const violations = checkStyle(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));
for (const line of violations) console.log(line);
if (violations.length > 0) process.exit(1);
