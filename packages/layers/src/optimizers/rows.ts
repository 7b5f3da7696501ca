// A step of a parameter of which only some rows have a gradient.

import type { IndexedSlices, Tensor, Variable } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import type { OptimizerRule, OptimizerStep, Updated } from "./rule.js";

/**
 * The same as with the whole gradient, which is never made: the rule is applied to the rows that have one, and, unless it leaves a
 * parameter without a gradient as it is, to the others with zeros.
 * @param decayed takes weight decay off a parameter, or rows of it; null where there is none
 */
export function updateRows(
  rule: OptimizerRule,
  param: Variable,
  gradient: IndexedSlices,
  slots: Readonly<Record<string, Tensor>>,
  step: OptimizerStep,
  decayed: ((x: Tensor) => Tensor) | null,
): Updated<string> {
  const { at, sums } = distinctRows(gradient, param.shape[0]!);
  const decay = decayed ?? ((x: Tensor) => x);
  const each = (f: (x: Tensor) => Tensor): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(slots).map(([name, x]) => [name, f(x)]));
  const pick = (x: Tensor): Tensor => tf.gather(x, at);
  const rows = rule.update(decay(pick(param)), sums, each(pick), step);
  const stays = rule.staysWithoutGradient === true && decayed === null;
  const rest = stays ? { param, slots } : rule.update(decay(param), tf.zeros(param.shape, param.dtype), slots, step);
  const places: Tensor = tf.expandDims(at, 1);
  const put = (whole: Tensor, part: Tensor): Tensor => tf.tensorScatterUpdate(whole, places, part);
  return {
    param: put(rest.param, rows.param),
    slots: Object.fromEntries(Object.entries(rows.slots).map(([name, x]) => [name, put(rest.slots[name]!, x)])),
  };
}

/**
 * The sums of what stands for one row more than once: each at one of these places, where `at` is that row; at the others it is −1,
 * which is no row.
 */
function distinctRows({ indices, values }: IndexedSlices, size: number): { at: Tensor; sums: Tensor } {
  const places: Tensor = tf.expandDims(indices, 1);
  const number: Tensor = tf.sub(tf.cumsum(tf.onesLike(tf.cast(indices, "int32"))), 1);
  const last: Tensor = tf.tensorScatterUpdate(tf.zeros([size], "int32"), places, number);
  const own: Tensor = tf.gather(last, indices);
  const sums = tf.tensorScatterAdd(tf.zerosLike(values), tf.expandDims(own, 1), values);
  return { at: tf.where(tf.equal(own, number), indices, -1), sums };
}
