import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { checkAttr } from "../../ir/op.js";
import type { Like, SameFloat } from "../../types/operands.js";
import type { Shape } from "../../types/shape.js";
import { mul } from "../binary/arithmetic.js";
import { less } from "../compare/order.js";
import { where } from "../compare/select.js";
import { apply1, broadcastShapes, toFloat } from "../public.js";
import { identityOp } from "../shape/identity.js";
import { standard } from "./distributions.js";
import { unitUniformOp } from "./rng.js";

/**
 * `x` with each element 0 at the probability `rate`, the others divided by 1 − rate, so that the mean stays.
 * @param x any shape; integers compute in float32
 * @param rate from 0 up to but not including 1
 * @param noiseShape the shape in which chance decides, broadcast to x: sizes of 1 drop together
 * @param seed a whole number from 0; what is dropped is the same whenever it is
 * @throws E_ARGUMENT where rate or noiseShape is outside of these
 * @example tf.dropout([1, 2], 0) // [1, 2]
 * @method
 */
export function dropout<const X extends Like>(x: X, rate: number, noiseShape?: Shape, seed?: number): SameFloat<X> {
  const t = toFloat(x);
  const { dtype, shape } = avalOf(t);
  checkAttr("dropout.C1", rate >= 0 && rate < 1, () => `rate must be a number from 0 below 1, got ${rate}`);
  if (rate === 0) return typed(apply1(identityOp, t));
  const noise = noiseShape ?? shape;
  const fits = broadcastShapes(noise, shape)?.length === shape.length;
  checkAttr("dropout.C2", fits, () => `noiseShape ${formatShape(noise)} does not broadcast to ${formatShape(shape)}`);
  const dropped = less(standard("dropout", unitUniformOp, noise, dtype, seed), rate);
  return typed(where(dropped, 0, mul(t, 1 / (1 - rate))));
}
