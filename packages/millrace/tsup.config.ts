import { defineConfig } from "tsup";
import { base } from "../../tsup.base.js";

// Each file stays a module: where entries share a chunk, esbuild turns `export *` of other packages into an object.
export default defineConfig({ ...base, entry: ["src/**/*.ts"], bundle: false });
