import { avalOf, typed } from "../../ir/apply.js";
import { type Cases, cases } from "../../ir/cases.js";
import { forEachIndex, stridesOf } from "../../ir/host.js";
import { checkAttr, defineOp, type Op } from "../../ir/op.js";
import type { Axes, Like, Same, ShapeOf } from "../../types/operands.js";
import type { OnAxes } from "../../types/rules/axis.js";
import type { Arg } from "../../types/shape.js";
import { apply1, axesFrom, toTensor } from "../public.js";

/** The axes that run backwards, rising. */
export type ReverseAttrs = { readonly axes: readonly number[] };

export const reverseOp: Op<"reverse", ReverseAttrs> = defineOp({
  name: "reverse",
  version: 1,
  kind: "shape",
  arity: 1,
  infer([x], { axes }) {
    const rank = x!.shape.length;
    const rising = axes.every((a, i) => Number.isInteger(a) && a >= 0 && a < rank && (i === 0 || a > axes[i - 1]!));
    checkAttr("reverse.C1", rising, () => `axes [${axes}] must rise within rank ${rank}`);
    return [x!];
  },
  reference([x], { axes }, [out]) {
    const steps = stridesOf(x!.shape);
    forEachIndex(x!.shape, (index, flat) => {
      const at = index.reduce(
        (sum, i, axis) => sum + steps[axis]! * (axes.includes(axis) ? x!.shape[axis]! - 1 - i : i),
        0,
      );
      out!.data[at] = x!.data[flat]!;
    });
  },
  vjp: (b, [g], _ins, _outs, attrs) => [b.reverse([g!], attrs)],
  batch: (b, [x], _batched, { axes }) => [b.reverse([x!], { axes: axes.map((a) => a + 1) })],
});
/**
 * The elements of `axis` (one, several, or all by default) in opposite order.
 * @example tf.reverse([[1, 2], [3, 4]], 1) // [[2, 1], [4, 3]]
 * @method
 */
export function reverse<const X extends Like, const A extends Axes = undefined>(
  x: X,
  axis?: Arg<OnAxes<"reverse", ShapeOf<X>, A>, A>,
): Same<X> {
  const t = toTensor(x);
  return typed(apply1(reverseOp, t, { axes: axesFrom("reverse", axis as Axes, avalOf(t).shape.length) }));
}
export const reverseCases: Cases<ReverseAttrs> = cases(reverseOp, () => ({
  samples: [
    { ins: [[]], attrs: { axes: [] } },
    { ins: [[17]], attrs: { axes: [0] } },
    { ins: [[3, 4]], attrs: { axes: [0] } },
    { ins: [[3, 4]], attrs: { axes: [1] } },
    { ins: [[2, 3, 5]], attrs: { axes: [0, 2] } },
    { ins: [[0, 3]], attrs: { axes: [0, 1] } },
    { ins: [[1, 2, 1, 3, 2, 2]], attrs: { axes: [1, 3, 4] } },
  ],
  edges: [{ ins: [[1, -0, NaN]], attrs: { axes: [0] }, want: [NaN, -0, 1] }],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reverse.C1" },
    { ins: [[2, 3]], attrs: { axes: [1, 0] }, code: "reverse.C1" },
  ],
}));
