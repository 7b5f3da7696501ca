// b: matrix products, the operands of one dtype: float32 of several sizes, and int8 and bfloat16 beside it.
import * as tf from "millrace";
import { timed } from "../lib/measure.mjs";

const sizes = {
  64: [64, 64, 64],
  256: [256, 256, 256],
  1024: [1024, 1024, 1024],
  2048: [2048, 2048, 2048],
  skinny: [1, 4096, 4096],
};

/** [m, k] x [k, n]; a result is freed at once, and the device waited for after each sample. */
function product([m, k, n], name, operand = (shape) => tf.randomNormal(shape), options = {}) {
  const [a, b] = [operand([m, k]), operand([k, n])];
  return timed({
    name,
    unit: "GFLOP/s",
    rate: (s) => (2 * m * k * n) / s / 1e9,
    run: () => tf.matMul(a, b, false, false, options).dispose(),
    finish: () => tf.sync(),
  });
}

const square = [1024, 1024, 1024];
const sgemm = Object.entries(sizes).map(([size, shape]) => [`b.${size}`, () => product(shape, `b.sgemm ${size}`)]);

export const systems = {
  millrace: Object.fromEntries(sgemm),
  "millrace int8": {
    "b.int8": () =>
      product(square, "b.gemm int8 1024", (shape) => tf.cast(tf.randomUniformInt(shape, -128, 128), "int8"), {
        outputType: "int32",
      }),
  },
  "millrace bfloat16": {
    "b.bf16": () => product(square, "b.gemm bf16 1024", (shape) => tf.cast(tf.randomNormal(shape), "bfloat16")),
  },
};
