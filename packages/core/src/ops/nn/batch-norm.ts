import { typed } from "../../ir/apply.js";
import type { Like, SameFloat } from "../../types/operands.js";
import { add, mul, sub } from "../binary/arithmetic.js";
import { toFloat } from "../public.js";
import { rsqrt } from "../unary/exponential.js";
import { neg } from "../unary/sign.js";

/**
 * (x − mean) / √(variance + varianceEpsilon) · scale + offset, all broadcast to x: usually vectors along the channels.
 * As in TensorFlow, x is multiplied by scale / √(variance + varianceEpsilon), and what remains is added.
 * @param x any shape; integers compute in float32
 * @param varianceEpsilon what is added to the variance; 0.001 by default
 * @example tf.batchNorm([[1, 3]], [1, 1], [4, 4], 0, 1, 0) // [[0, 1]]
 * @method
 */
export function batchNorm<const X extends Like>(
  x: X,
  mean: Like,
  variance: Like,
  offset?: Like,
  scale?: Like,
  varianceEpsilon?: number,
): SameFloat<X> {
  const t = toFloat(x);
  const root = rsqrt(add(variance, varianceEpsilon ?? 1e-3));
  const factor = scale === undefined ? root : mul(root, scale);
  const moved = mul(mean, factor);
  return typed(add(mul(t, factor), offset === undefined ? neg(moved) : sub(offset, moved)));
}
