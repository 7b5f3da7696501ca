// Taking a tensor apart along an axis, and repeating it: functions of slice, reshape and broadcastInDim.
import { avalOf, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { addDim, type Dim, eqDim, floorDivDim, modDim, mulDim, subDim } from "../../ir/dim.js";
import { check, checkAttr } from "../../ir/op.js";
import type { DTypeOf, Like, Out, OutList, ShapeOf } from "../../types/operands.js";
import type { Tile } from "../../types/rules/index-ops.js";
import type { Split, Unstack } from "../../types/rules/join.js";
import type { Arg, Shape } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { sliceOp } from "../index/slice.js";
import { apply1, axisOf, toTensor } from "../public.js";
import { broadcastInDimOp } from "./broadcast.js";
import { reshapeOp } from "./reshape.js";

/**
 * `x` cut along `axis` into equal `parts`, or into parts of the given sizes, one of which may be −1: what the others leave.
 * @throws E_SHAPE where the parts do not add up to the axis
 * @example tf.split([1, 2, 3, 4], 2) // [[1, 2], [3, 4]]
 * @method
 */
export function split<const X extends Like, const P extends number | Shape, const A extends number = 0>(
  x: X,
  parts: Arg<Split<ShapeOf<X>, P, A>, P>,
  axis?: A,
): OutList<Split<ShapeOf<X>, P, A>, DTypeOf<X>> {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const at = axisOf("split", axis ?? 0, shape.length);
  return cut(t, at, partSizes(shape, at, parts as number | Shape)) as never; // boundary: Split and partSizes are one rule
}

/**
 * The parts of `x` along `axis`, which goes.
 * @example tf.unstack([[1, 2], [3, 4]]) // [[1, 2], [3, 4]]
 * @method
 */
export function unstack<const X extends Like, const A extends number = 0>(
  x: X,
  axis?: Arg<Unstack<ShapeOf<X>, A>, A>,
): OutList<Unstack<ShapeOf<X>, A>, DTypeOf<X>> {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const at = axisOf("unstack", (axis as number | undefined) ?? 0, shape.length);
  const size = shape[at]!;
  checkAttr("unstack.C1", typeof size === "number", () => `axis ${at} of ${formatShape(shape)} has no known size`);
  const rest = shape.filter((_, i) => i !== at);
  const parts = cut(t, at, new Array<number>(Number(size)).fill(1)).map((part) =>
    apply1(reshapeOp, part, { shape: rest }),
  );
  return parts as never; // boundary: as in split
}

/**
 * `x` repeated `reps[i]` times along axis i.
 * @example tf.tile([[1, 2]], [2, 2]) // [[1, 2, 1, 2], [1, 2, 1, 2]]
 * @method
 */
export function tile<const X extends Like, const R extends Shape>(
  x: X,
  reps: Arg<Tile<ShapeOf<X>, R>, R>,
): Out<Tile<ShapeOf<X>, R>, DTypeOf<X>> {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const times = reps as readonly Dim[];
  checkAttr(
    "tile.C1",
    times.length === shape.length,
    () => `${formatShape(shape)} needs ${shape.length} repeats, got ${times.length}`,
  );
  checkAttr(
    "tile.C2",
    times.every((n) => typeof n !== "number" || (Number.isInteger(n) && n >= 0)),
    () => `repeats ${formatShape(times)} must be whole numbers from 0`,
  );
  // [a, b] → [times, a, times, b] → [times · a, times · b]
  const spread = { shape: shape.flatMap((size, i) => [times[i]!, size]), dims: shape.map((_, i) => 2 * i + 1) };
  return typed(
    apply1(reshapeOp, apply1(broadcastInDimOp, t, spread), { shape: shape.map((size, i) => mulDim(times[i]!, size)) }),
  );
}

function partSizes(shape: readonly Dim[], axis: number, parts: number | Shape): readonly Dim[] {
  const size = shape[axis]!;
  const refuse = (why: string) => () => `size ${size} of ${formatShape(shape)} ${why}`;
  if (typeof parts === "number") {
    checkAttr("split.C1", Number.isInteger(parts) && parts >= 1, () => `${parts} parts are not possible`);
    check("split.C2", eqDim(modDim(size, parts), 0) !== false, refuse(`does not divide into ${parts} parts`));
    return new Array<Dim>(parts).fill(floorDivDim(size, parts));
  }
  const open = parts.indexOf(-1);
  const known = parts.filter((n) => n !== -1).reduce((a, n) => a + n, 0);
  const filled: Dim[] = parts.map((n, i) => (i === open ? subDim(size, known) : n));
  check(
    "split.C3",
    parts.every((n) => Number.isInteger(n) && n >= -1),
    refuse(`does not divide into [${parts}]`),
  );
  check("split.C3", eqDim(filled.reduce(addDim, 0), size) !== false, refuse(`is not the sum of [${parts}]`));
  return filled;
}

/** Consecutive parts of these sizes along an axis. */
function cut(x: Tensor, axis: number, sizes: readonly Dim[]): Tensor[] {
  const { shape } = avalOf(x);
  let end: Dim = 0;
  return sizes.map((size) => {
    const begin = end;
    end = addDim(end, size);
    const start = shape.map((_, i) => (i === axis ? begin : 0));
    const limit = shape.map((all, i) => (i === axis ? end : all));
    return apply1(sliceOp, x, { start, limit, strides: shape.map(() => 1) });
  });
}
