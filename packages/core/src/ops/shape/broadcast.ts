import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { type Dim, eqDim } from "../../ir/dim.js";
import { forEachIndex, stridesOf } from "../../ir/host.js";
import { check, checkAttr, defineOp, type Op } from "../../ir/op.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { BroadcastTo } from "../../types/rules/broadcast.js";
import type { Arg, Shape } from "../../types/shape.js";
import { broadcastShapes, noBroadcast, provideConversions, stretchTo, toTensor } from "../public.js";

/** Operand axis j becomes axis `dims[j]` of `shape`; a size 1 stretches, and new axes repeat. */
export type BroadcastAttrs = { readonly shape: readonly Dim[]; readonly dims: readonly number[] };

/** Whether operand axis j is repeated along its output axis. */
function repeats(from: Dim, to: Dim): boolean {
  return from === 1 && to !== 1;
}

export const broadcastInDimOp: Op<"broadcastInDim", BroadcastAttrs> = defineOp({
  name: "broadcastInDim",
  version: 1,
  kind: "shape",
  arity: 1,
  sizeAttrs: ["shape"],
  infer([x], { shape, dims }) {
    const rank = x!.shape.length;
    checkAttr(
      "broadcastInDim.C1",
      dims.length === rank,
      () => `needs one entry of dims an axis, got ${dims.length} for rank ${rank}`,
    );
    const rising = dims.every(
      (d, i) => Number.isInteger(d) && d >= 0 && d < shape.length && (i === 0 || d > dims[i - 1]!),
    );
    checkAttr("broadcastInDim.C2", rising, () => `dims [${dims}] must rise within rank ${shape.length}`);
    dims.forEach((d, j) => {
      const from = x!.shape[j]!;
      check(
        "broadcastInDim.C3",
        from === 1 || eqDim(from, shape[d]!),
        () => `${formatShape(x!.shape)} does not stretch to ${formatShape(shape)}`,
      );
    });
    return [{ dtype: x!.dtype, shape }];
  },
  reference([x], { dims }, [out]) {
    const from = stridesOf(x!.shape);
    const steps = new Array<number>(out!.shape.length).fill(0);
    dims.forEach((d, j) => {
      steps[d] = x!.shape[j] === 1 ? 0 : from[j]!;
    });
    forEachIndex(out!.shape, (index, flat) => {
      out!.data[flat] = x!.data[index.reduce((at, i, axis) => at + i * steps[axis]!, 0)]!;
    });
  },
  vjp(b, [g], [x], _outs, { shape, dims }) {
    const from = x!.aval.shape;
    const summed = shape
      .map((_, d) => d)
      .filter((d) => {
        const j = dims.indexOf(d);
        return j < 0 || repeats(from[j]!, shape[d]!);
      });
    const sum = summed.length === 0 ? g! : b.reduceSum([g!], { axes: summed });
    return [sum.aval.shape.length === from.length ? sum : b.reshape([sum], { shape: from })];
  },
  batch: (b, [x], _batched, { dims }, [out]) => [
    b.broadcastInDim([x!], { shape: out!.shape, dims: [0, ...dims.map((d) => d + 1)] }),
  ],
});
provideConversions({ broadcastInDim: broadcastInDimOp });
export const broadcastInDimCases: Cases<BroadcastAttrs> = cases(broadcastInDimOp, () => ({
  samples: [
    { ins: [[]], attrs: { shape: [3, 2], dims: [] } },
    { ins: [[3]], attrs: { shape: [2, 3], dims: [1] } },
    { ins: [[3]], attrs: { shape: [3, 2], dims: [0] } },
    { ins: [[2, 1]], attrs: { shape: [2, 17, 3], dims: [0, 2] } },
    { ins: [[1, 3]], attrs: { shape: [4, 3], dims: [0, 1] } },
    { ins: [[0]], attrs: { shape: [2, 0], dims: [1] } },
    { ins: [[1]], attrs: { shape: [0], dims: [0] } },
  ],
  edges: [
    {
      ins: [[1, 2]],
      attrs: { shape: [2, 2], dims: [0] },
      want: [
        [1, 1],
        [2, 2],
      ],
    },
  ],
  reject: [
    { ins: [[3]], attrs: { shape: [2, 3], dims: [0] }, code: "broadcastInDim.C3" },
    { ins: [[3]], attrs: { shape: [3], dims: [1] }, code: "broadcastInDim.C2" },
    { ins: [[3]], attrs: { shape: [3], dims: [] }, code: "broadcastInDim.C1" },
  ],
}));

/**
 * `x` repeated to `shape`: sizes 1 stretch, and axes are added in front.
 * @example tf.broadcastTo([1, 2], [3, 2]) // [[1, 2], [1, 2], [1, 2]]
 * @method
 */
export function broadcastTo<const X extends Like, const T extends Shape>(
  x: X,
  shape: Arg<BroadcastTo<ShapeOf<X>, T>, T>,
): Out<BroadcastTo<ShapeOf<X>, T>, DTypeOf<X>> {
  const t = toTensor(x);
  const to = shape as readonly Dim[];
  const from = avalOf(t);
  if (broadcastShapes(from.shape, to)?.length !== to.length)
    throw noBroadcast("broadcastTo", from, { dtype: from.dtype, shape: to });
  return typed(stretchTo(t, to));
}
