import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

// The run entry has a build of its own, without rules: tools/build-run.mjs.
const entry = (base.entry as string[]).filter((file) => file !== "./src/run.ts");

export default defineConfig({ ...base, entry });
