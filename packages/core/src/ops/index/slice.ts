import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { addDim, allTrue, ceilDivDim, type Dim, leDim, subDim } from "../../ir/dim.js";
import { forEachIndex, stridesOf } from "../../ir/host.js";
import { check, checkAttr, defineOp, type Op } from "../../ir/op.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Slice } from "../../types/rules/index-ops.js";
import type { Arg, Shape } from "../../types/shape.js";
import { apply1, toTensor } from "../public.js";
import { scalarOf } from "../rules.js";
import { dilatedDim } from "../shape/pad.js";

/** Elements start, start + stride, … before limit, for each axis. */
export type SliceAttrs = {
  readonly start: readonly Dim[];
  readonly limit: readonly Dim[];
  readonly strides: readonly number[];
};

export const sliceOp: Op<"slice", SliceAttrs> = defineOp({
  name: "slice",
  version: 1,
  kind: "shape",
  arity: 1,
  sizeAttrs: ["start", "limit"],
  infer([x], { start, limit, strides }) {
    const { dtype, shape } = x!;
    const complete = [start, limit, strides].every((list) => list.length === shape.length);
    checkAttr("slice.C1", complete, () => `needs a start, a limit and a stride for each axis of ${formatShape(shape)}`);
    checkAttr(
      "slice.C2",
      strides.every((s) => Number.isInteger(s) && s >= 1),
      () => `strides [${strides}] must be whole numbers from 1`,
    );
    shape.forEach((size, i) => {
      const inside = allTrue([leDim(0, start[i]!), leDim(start[i]!, limit[i]!), leDim(limit[i]!, size)]);
      check("slice.C3", inside, () => `${start[i]} to ${limit[i]} is outside axis ${i} of ${formatShape(shape)}`);
    });
    return [{ dtype, shape: shape.map((_, i) => ceilDivDim(subDim(limit[i]!, start[i]!), strides[i]!)) }];
  },
  reference([x], { start, strides }, [out]) {
    const from = stridesOf(x!.shape);
    const first = from.reduce((at, step, axis) => at + step * Number(start[axis]!), 0);
    forEachIndex(out!.shape, (index, flat) => {
      out!.data[flat] = x!.data[index.reduce((at, i, axis) => at + i * from[axis]! * strides[axis]!, first)]!;
    });
  },
  vjp(b, [g], [x], [y], { start, strides }) {
    const extent = y!.aval.shape.map((size, i) => dilatedDim(size, strides[i]!));
    const high = x!.aval.shape.map((size, i) => subDim(size, addDim(start[i]!, extent[i]!)));
    return [b.pad([g!, scalarOf(b, g!.aval.dtype, 0)], { low: start, high, interior: strides.map((s) => s - 1) })];
  },
  batch: (b, [x], _batched, { start, limit, strides }) => [
    b.slice([x!], { start: [0, ...start], limit: [x!.aval.shape[0]!, ...limit], strides: [1, ...strides] }),
  ],
});
export const sliceCases: Cases<SliceAttrs> = cases(sliceOp, () => ({
  samples: [
    { ins: [[]], attrs: { start: [], limit: [], strides: [] } },
    { ins: [[7]], attrs: { start: [2], limit: [5], strides: [1] } },
    { ins: [[7]], attrs: { start: [1], limit: [7], strides: [3] } },
    { ins: [[7]], attrs: { start: [1], limit: [6], strides: [2] } },
    { ins: [[4]], attrs: { start: [2], limit: [2], strides: [1] } },
    { ins: [[4]], attrs: { start: [4], limit: [4], strides: [2] } },
    { ins: [[0, 3]], attrs: { start: [0, 1], limit: [0, 3], strides: [1, 1] } },
    { ins: [[3, 17, 4]], attrs: { start: [1, 0, 3], limit: [3, 17, 4], strides: [1, 4, 1] } },
    {
      ins: [[1, 2, 3, 2, 1, 2]],
      attrs: { start: [0, 1, 0, 0, 0, 0], limit: [1, 2, 3, 2, 1, 1], strides: [1, 1, 2, 1, 1, 1] },
    },
  ],
  edges: [{ ins: [[1, -0, NaN, 4, 5]], attrs: { start: [1], limit: [5], strides: [2] }, want: [-0, 4] }],
  reject: [
    { ins: [[5]], attrs: { start: [0, 0], limit: [5, 5], strides: [1, 1] }, code: "slice.C1" },
    { ins: [[5]], attrs: { start: [0], limit: [5], strides: [0] }, code: "slice.C2" },
    { ins: [[5]], attrs: { start: [0], limit: [6], strides: [1] }, code: "slice.C3" },
    { ins: [[5]], attrs: { start: [3], limit: [2], strides: [1] }, code: "slice.C3" },
    { ins: [[5]], attrs: { start: [-1], limit: [2], strides: [1] }, code: "slice.C3" },
  ],
}));

/**
 * The part of `x` that starts at `begin` and has `size` elements an axis; −1, or a size left out, is all that is left.
 * @throws E_SHAPE where the part reaches beyond `x`
 * @example tf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, 2]) // [[2, 3], [5, 6]]
 * @method
 */
export function slice<const X extends Like, const B extends number | Shape, const N extends number | Shape = []>(
  x: X,
  begin: Arg<Slice<ShapeOf<X>, B, N>, B>,
  size?: N,
): Out<Slice<ShapeOf<X>, B, N>, DTypeOf<X>> {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const begins = listOf(begin as number | readonly number[]);
  const sizes = listOf(size ?? []);
  checkAttr(
    "slice.C4",
    begins.length <= shape.length && sizes.length <= shape.length,
    () => `more entries than axes of ${formatShape(shape)}`,
  );
  const start = shape.map((_, i) => begins[i] ?? 0);
  const limit = shape.map((all, i) => {
    const taken = sizes[i] ?? -1;
    return taken === -1 ? all : addDim(start[i]!, taken);
  });
  return typed(apply1(sliceOp, t, { start, limit, strides: shape.map(() => 1) }));
}

function listOf(value: number | readonly number[]): readonly number[] {
  return typeof value === "number" ? [value] : value;
}
