// node tools/build-run.mjs: writes packages/core/dist/run.js, a part of core's build.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./lib/generated.mjs";
import { bundleRun } from "./lib/run-bundle.mjs";

const dist = join(root, "packages/core/dist");
const { code, map } = await bundleRun();
mkdirSync(dist, { recursive: true });
writeFileSync(join(dist, "run.js"), code);
writeFileSync(join(dist, "run.js.map"), map);
const kilobytes = (gzipSync(code, { level: 9 }).length / 1024).toFixed(1);
console.log(`dist/run.js: ${kilobytes} KB gzipped`);
