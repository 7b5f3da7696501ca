// Inputs for both sides, and how far apart what they answer is.
import { signatureOf } from "@millrace/core/graph";
import * as tf from "millrace";
import type { Case } from "./cases.js";
import type { LiteArray } from "./litert/litert.js";

/** Inputs of a function with every open size but the batch set, and random content. */
export function inputsOf(
  f: tf.NamedFunction,
  { sizes = {}, range = [-2, 2] }: Case,
  batch: number,
): Record<string, tf.Tensor> {
  const { inputs } = signatureOf(f);
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }, i) => {
      const known = shape.map((d) => (typeof d === "number" ? d : (sizes[d] ?? batch)));
      const [low, high] = range;
      const seed = 100 * batch + i;
      if (dtype === "float32") {
        const x = tf.randomUniform(known, low, high, "float32", seed);
        return [name, Number.isInteger(low) && range !== undefined && low === 0 ? tf.round(x) : x];
      }
      if (dtype === "bool") return [name, tf.greater(tf.randomUniform(known, -1, 1, "float32", seed), 0)];
      return [name, tf.cast(tf.floor(tf.randomUniform(known, low, high + 1, "float32", seed)), dtype)];
    }),
  ) as Record<string, tf.Tensor>;
}

export function arraysOf(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, LiteArray> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [
      name,
      { dtype: x.dtype, shape: x.shape as number[], data: x.dataSync() },
    ]),
  );
}

/** The greatest difference, relative where numbers exceed 1. */
export function difference(got: LiteArray, want: tf.Tensor): number {
  expect(got.shape).toEqual(want.shape);
  const wanted = want.dataSync();
  let most = 0;
  got.data.forEach((x: number | bigint, i: number) => {
    const [a, b] = [Number(x), Number(wanted[i])];
    if (!Object.is(a, b)) most = Math.max(most, Math.abs(a - b) / Math.max(1, Math.abs(b)));
  });
  return most;
}
