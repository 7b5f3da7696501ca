import type { Tensor } from "@millrace/core";
import * as tf from "../../index.js";
import type { Check } from "./check.js";

/** How long each measurement may take, in milliseconds. */
const budget = 400;

/** What this machine reaches in a product of matrices, and in reading and writing memory. */
export async function speedChecks(): Promise<Check[]> {
  await tf.ready();
  // The reference backend is exact and slow: a small product says as much.
  const size = tf.getBackend() === "reference" ? 64 : 1024;
  const length = tf.getBackend() === "reference" ? 1 << 16 : 1 << 24;
  const [a, b] = [tf.ones([size, size]), tf.ones([size, size])];
  const [x, y] = [tf.ones([length]), tf.ones([length])];
  const product = await secondsOf(() => tf.matMul(a, b));
  const sum = await secondsOf(() => tf.add(x, y));
  tf.dispose([a, b, x, y]);
  const gflops = (2 * size ** 3) / product / 1e9;
  // Two tensors read, one written.
  const gbs = (3 * 4 * length) / sum / 1e9;
  return [
    measured("product", `${gflops.toFixed(1)} GFLOP/s in float32, ${size} × ${size}`, { gflops }),
    measured("bandwidth", `${gbs.toFixed(1)} GB/s in adding two tensors of ${length} numbers`, { gbs }),
  ];
}

const measured = (name: string, found: string, values: Readonly<Record<string, number>>): Check => {
  return { name, status: "ok", found, values };
};

/** The best time of one call. */
async function secondsOf(f: () => Tensor): Promise<number> {
  const end = performance.now() + budget;
  let best = Number.POSITIVE_INFINITY;
  while (performance.now() < end) {
    const start = performance.now();
    const result = f();
    await tf.sync();
    best = Math.min(best, performance.now() - start);
    result.dispose();
  }
  return best / 1e3;
}
