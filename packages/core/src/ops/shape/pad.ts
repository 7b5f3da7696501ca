import { avalOf, typed } from "../../ir/apply.js";
import { formatShape, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { addDim, type Dim, leDim, maxDim, mulDim, subDim } from "../../ir/dim.js";
import { forEachIndex, stridesOf } from "../../ir/host.js";
import { check, checkAttr, checkDType, defineOp, type Op } from "../../ir/op.js";
import type { DTypeOf, Like, Out, ShapeOf } from "../../types/operands.js";
import type { Pad } from "../../types/rules/index-ops.js";
import type { Arg } from "../../types/shape.js";
import type { Ops } from "../names.js";
import { apply, toTensor } from "../public.js";
import { axesOf, scalarOf, stretch } from "../rules.js";

/** For each axis: `interior` values between elements, then `low` before and `high` after; negative ones cut. */
export type PadAttrs = {
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly interior: readonly number[];
};

/** The extent of `size` elements that are `step` apart. */
export function dilatedDim(size: Dim, step: number): Dim {
  if (step === 1) return size;
  return maxDim(addDim(mulDim(subDim(size, 1), step), 1), 0);
}

/** Where an operand element or a padding value is wanted: true for elements of `x`. */
function elementMask(b: Ops, x: Val, attrs: PadAttrs): Val {
  const present = stretch(b, scalarOf(b, "bool", true), x.aval.shape, []);
  return b.pad([present, scalarOf(b, "bool", false)], attrs);
}

export const padOp: Op<"pad", PadAttrs> = defineOp({
  name: "pad",
  version: 1,
  kind: "shape",
  arity: 2,
  sizeAttrs: ["low", "high"],
  infer([x, value], { low, high, interior }) {
    const { dtype, shape } = x!;
    checkDType("pad.C1", value!.dtype === dtype, () => `needs one dtype, got ${dtype} and ${value!.dtype}`);
    check(
      "pad.C2",
      value!.shape.length === 0,
      () => `the padding value needs rank 0, got ${formatShape(value!.shape)}`,
    );
    const complete = [low, high, interior].every((list) => list.length === shape.length);
    checkAttr("pad.C3", complete, () => `needs low, high and interior for each axis of ${formatShape(shape)}`);
    checkAttr(
      "pad.C4",
      interior.every((n) => Number.isInteger(n) && n >= 0),
      () => `interior [${interior}] must be whole numbers from 0`,
    );
    const padded = shape.map((size, i) => addDim(addDim(low[i]!, high[i]!), dilatedDim(size, interior[i]! + 1)));
    for (const [i, size] of padded.entries()) {
      check("pad.C5", leDim(0, size), () => `axis ${i} of ${formatShape(shape)} has no size ${size}`);
    }
    return [{ dtype, shape: padded }];
  },
  reference([x, value], { low, interior }, [out]) {
    out!.data.fill(value!.data[0] as never); // boundary: both arrays are of the op's one dtype
    const to = stridesOf(out!.shape);
    forEachIndex(x!.shape, (index, flat) => {
      let at = 0;
      for (let axis = 0; axis < index.length; axis++) {
        const i = Number(low[axis]!) + index[axis]! * (interior[axis]! + 1);
        if (i < 0 || i >= out!.shape[axis]!) return;
        at += i * to[axis]!;
      }
      out!.data[at] = x!.data[flat]!;
    });
  },
  vjp(b, [g], [x], _outs, attrs) {
    const { low, high, interior } = attrs;
    const zero = scalarOf(b, g!.aval.dtype, 0);
    // What was cut gets no gradient: zeros in its place, then every (interior + 1)th element.
    const cut = { low: low.map(shortfall), high: high.map(shortfall), interior: low.map(() => 0) };
    const restored = [...cut.low, ...cut.high].every((n) => n === 0) ? g! : b.pad([g!, zero], cut);
    const start = low.map((n) => maxDim(n, 0));
    const limit = x!.aval.shape.map((size, i) => addDim(start[i]!, dilatedDim(size, interior[i]! + 1)));
    const gx = b.slice([restored], { start, limit, strides: interior.map((n) => n + 1) });
    const zeros = stretch(b, zero, g!.aval.shape, []);
    const ofPadding = b.select([elementMask(b, x!, attrs), zeros, g!]);
    return [gx, b.reduceSum([ofPadding], { axes: axesOf(g!.aval.shape.length) })];
  },
  batch(b, [x, value], batched, { low, high, interior }, [out]) {
    const lengthened = { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] };
    if (!batched[1]) return [b.pad([x!, value!], lengthened)];
    const all = batched[0]
      ? x!
      : stretch(
          b,
          x!,
          [out!.shape[0]!, ...x!.aval.shape],
          x!.aval.shape.map((_, i) => i + 1),
        );
    const zero = scalarOf(b, x!.aval.dtype, 0);
    return [
      b.select([elementMask(b, all, lengthened), b.pad([all, zero], lengthened), stretch(b, value!, out!.shape, [0])]),
    ];
  },
});
/** How much a negative padding cuts. */
function shortfall(n: Dim): Dim {
  return maxDim(subDim(0, n), 0);
}
/**
 * `x` with `[before, after]` elements of `constantValue` added on each axis.
 * @param paddings one pair an axis; a negative number cuts
 * @example tf.pad([1, 2], [[1, 2]]) // [0, 1, 2, 0, 0]
 * @method
 */
export function pad<const X extends Like, const P extends readonly (readonly [number, number])[]>(
  x: X,
  paddings: Arg<Pad<ShapeOf<X>, P>, P>,
  constantValue?: number,
): Out<Pad<ShapeOf<X>, P>, DTypeOf<X>> {
  const t = toTensor(x);
  const pairs = paddings as P;
  const rank = avalOf(t).shape.length;
  checkAttr("pad.C6", pairs.length === rank, () => `rank ${rank} needs ${rank} pairs, got ${pairs.length}`);
  const attrs = { low: pairs.map((p) => p[0]), high: pairs.map((p) => p[1]), interior: pairs.map(() => 0) };
  return typed(apply(padOp, [t, toTensor(constantValue ?? 0, t.dtype)], attrs));
}
export const padCases: Cases<PadAttrs> = cases(padOp, () => ({
  samples: [
    { ins: [[], []], attrs: { low: [], high: [], interior: [] } },
    { ins: [[3], []], attrs: { low: [2], high: [1], interior: [0] } },
    { ins: [[3], []], attrs: { low: [0], high: [0], interior: [2] } },
    { ins: [[5], []], attrs: { low: [-1], high: [-2], interior: [0] } },
    { ins: [[5], []], attrs: { low: [-2], high: [3], interior: [1] } },
    { ins: [[3], []], attrs: { low: [-5], high: [4], interior: [0] } },
    { ins: [[0], []], attrs: { low: [1], high: [2], interior: [3] } },
    { ins: [[1], []], attrs: { low: [0], high: [0], interior: [3] } },
    { ins: [[2, 3], []], attrs: { low: [1, 0], high: [0, -1], interior: [0, 1] } },
    { ins: [[2, 0, 4], []], attrs: { low: [0, 1, 0], high: [0, 0, 1], interior: [0, 0, 0] } },
    {
      ins: [[1, 2, 1, 2, 1, 2], []],
      attrs: { low: [0, 1, 0, 0, 0, 1], high: [1, 0, 0, 0, 0, 0], interior: [0, 1, 0, 0, 0, 0] },
    },
  ],
  edges: [
    {
      ins: [[1, NaN, -0], -Infinity],
      attrs: { low: [1], high: [-1], interior: [1] },
      want: [-Infinity, 1, -Infinity, NaN, -Infinity],
    },
    { ins: [[1, 2, 3], 9], attrs: { low: [-1], high: [1], interior: [0] }, want: [2, 3, 9] },
  ],
  reject: [
    { ins: [[3], []], dtypes: ["float32", "int32"], attrs: { low: [0], high: [0], interior: [0] }, code: "pad.C1" },
    { ins: [[3], [1]], attrs: { low: [0], high: [0], interior: [0] }, code: "pad.C2" },
    { ins: [[3], []], attrs: { low: [0, 0], high: [0], interior: [0] }, code: "pad.C3" },
    { ins: [[3], []], attrs: { low: [0], high: [0], interior: [-1] }, code: "pad.C4" },
    { ins: [[3], []], attrs: { low: [-2], high: [-2], interior: [0] }, code: "pad.C5" },
  ],
}));
