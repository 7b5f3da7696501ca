// c: gelu(a·b + c) of 10⁷ numbers, which is one pass over memory where ops are fused.
import * as tf from "millrace";
import { timed } from "../lib/measure.mjs";

function task(kind, makes) {
  const [a, b, c] = [0, 1, 2].map(() => tf.randomNormal([10_000_000]));
  const approximate = kind === "tanh";
  const run = makes((x, y, z) => tf.gelu(tf.add(tf.mul(x, y), z), { approximate }));
  return timed({
    name: `c.gelu(a*b+c) 1e7 ${kind}`,
    unit: "ms",
    low: true,
    rate: (s) => s * 1e3,
    run: () => tf.dispose(run(a, b, c)),
    finish: () => tf.sync(),
  });
}
const both = (makes) => ({ "c.tanh": () => task("tanh", makes), "c.erf": () => task("erf", makes) });

export const systems = {
  "millrace tf.fn": both((f) => tf.fn(f)),
  "millrace eager": both(
    (f) =>
      (...xs) =>
        tf.tidy(() => f(...xs)),
  ),
};
