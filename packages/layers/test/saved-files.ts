// What tests of saving share: a small model, and its file with another configuration.
import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { layers, type Sequential, sequential } from "../src/index.js";
import { openArchive, writeArchive } from "../src/saving/archive.js";
import { limitsOf } from "../src/saving/checks.js";

tf.registerReferenceBackend();

export const dense = (): Sequential => sequential([layers.dense({ units: 2, inputShape: [3] })]) as Sequential;
export const x = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3]) as Tensor;
export const errorOf = async (promise: Promise<unknown>): Promise<{ code: string; reason: string }> =>
  promise.then(
    () => ({ code: "none", reason: "" }),
    (error: unknown) => {
      if (tf.isMillraceError(error)) return { code: error.code, reason: error.reason };
      throw error;
    },
  );
export const configOf = (bytes: Uint8Array): string =>
  new TextDecoder().decode(openArchive(bytes, limitsOf(null)).read("config.json"));
/** The same file with another configuration. */
export function changed(bytes: Uint8Array, change: (config: string) => string): Uint8Array {
  const archive = openArchive(bytes, limitsOf(null));
  const files = Object.fromEntries(archive.names.map((name) => [name, archive.read(name)]));
  return writeArchive({ ...files, "config.json": new TextEncoder().encode(change(configOf(bytes))) });
}
