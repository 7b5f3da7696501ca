// Where the real programs are that tests compare with; see tools/references.mjs.
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Whether a missing reference fails a test rather than skips it: in CI nothing may go unproven. */
export const referencesRequired = process.env.MILLRACE_REQUIRE_REFS === "1";

/**
 * The Python that has TensorFlow, Keras, LiteRT and the serving client.
 * @returns {string | undefined} undefined where it is not installed: name `npm run references` when skipping
 */
export function referencePython() {
  const path = fileURLToPath(new URL("../../.refs/venv/bin/python", import.meta.url));
  if (existsSync(path)) return path;
  if (referencesRequired) throw new Error("the reference programs are not installed: npm run references");
  return undefined;
}
