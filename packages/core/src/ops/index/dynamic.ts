// Windows whose place is known at run time only. A start is moved so that the window lies inside.
import { typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { type Aval, formatAval, formatShape, sizeOf, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { allTrue, type Dim, eqDim, leDim, productDim, subDim } from "../../ir/dim.js";
import { forEachIndex, type HostArray, stridesOf } from "../../ir/host.js";
import { check, checkDType, defineOp, type NoAttrs, type Op } from "../../ir/op.js";
import type { DTypeOf, Like, Out, Same } from "../../types/operands.js";
import type { Shape } from "../../types/shape.js";
import type { Ops } from "../names.js";
import { apply, castTo, toTensor } from "../public.js";
import { axesOf, fillLike, scalarOf, stretch } from "../rules.js";
import { dimensionOf, toIndices, withBatch } from "./rows.js";

/** The window's sizes. */
export type DynamicSliceAttrs = { readonly sizes: readonly Dim[] };

function checkWindow(name: string, x: Aval, start: Aval, sizes: readonly Dim[]): void {
  const rank = x.shape.length;
  checkDType(`${name}.C1`, start.dtype === "int32", () => `needs an int32 start, got ${start.dtype}`);
  check(
    `${name}.C2`,
    start.shape.length === 1 && eqDim(start.shape[0]!, rank),
    () => `needs a start of shape [${rank}], got ${formatAval(start)}`,
  );
  const inside = sizes.length === rank && allTrue(sizes.flatMap((n, i) => [leDim(0, n), leDim(n, x.shape[i]!)]));
  check(`${name}.C3`, inside, () => `a window of ${formatShape(sizes)} does not fit in ${formatShape(x.shape)}`);
}

/** Calls `visit` with the places of each element of the window, in `x` and in the window. */
function forEachInWindow(
  x: HostArray,
  start: HostArray,
  sizes: readonly number[],
  visit: (at: number, flat: number) => void,
): void {
  const steps = stridesOf(x.shape);
  const first = steps.reduce(
    (at, step, i) => at + step * Math.min(Math.max(Number(start.data[i]), 0), x.shape[i]! - sizes[i]!),
    0,
  );
  forEachIndex(sizes, (index, flat) =>
    visit(
      index.reduce((at, i, axis) => at + i * steps[axis]!, first),
      flat,
    ),
  );
}

/** For starts [B, rank]: where in B tensors of shape `shape`, laid end to end, each element of B windows lies. */
function placesOf(b: Ops, starts: Val, batch: Dim, shape: readonly Dim[], sizes: readonly Dim[]): Val {
  const all = [batch, ...sizes];
  const wide = b.cast([starts], { dtype: "int64" });
  const step = (axis: number): Val => dimensionOf(b, productDim(shape.slice(axis + 1)), "int64");
  const zero = scalarOf(b, "int64", 0);
  let places = b.mul([
    b.iota([], { shape: all, axis: 0, dtype: "int64" }),
    stretch(b, dimensionOf(b, productDim(shape), "int64"), all, []),
  ]);
  for (const axis of axesOf(shape.length)) {
    const column = b.slice([wide], { start: [0, axis], limit: [batch, axis + 1], strides: [1, 1] });
    const last = dimensionOf(b, subDim(shape[axis]!, sizes[axis]!), "int64");
    const own = [batch, 1];
    const inside = b.max([b.min([column, stretch(b, last, own, [])]), stretch(b, zero, own, [])]);
    const start = stretch(b, b.reshape([inside], { shape: [batch] }), all, [0]);
    const along = b.add([start, b.iota([], { shape: all, axis: axis + 1, dtype: "int64" })]);
    places = b.add([places, b.mul([along, stretch(b, step(axis), all, [])])]);
  }
  return places;
}

const flatten = (b: Ops, x: Val): Val => b.reshape([x], { shape: [sizeOf(x.aval)] });

export const dynamicSliceOp: Op<"dynamicSlice", DynamicSliceAttrs> = defineOp({
  name: "dynamicSlice",
  version: 1,
  kind: "index",
  arity: 2,
  sizeAttrs: ["sizes"],
  infer([x, start], { sizes }) {
    checkWindow("dynamicSlice", x!, start!, sizes);
    return [{ dtype: x!.dtype, shape: sizes }];
  },
  reference([x, start], _attrs, [out]) {
    forEachInWindow(x!, start!, out!.shape, (at, flat) => {
      out!.data[flat] = x!.data[at]!;
    });
  },
  vjp: (b, [g], [x, start]) => [b.dynamicUpdateSlice([fillLike(b, x!, 0), g!, start!]), null],
  batch(b, [x, start], batched, { sizes }, [out]) {
    const [batch, zero] = [out!.shape[0]!, stretch(b, scalarOf(b, "int32", 0), [1], [])];
    if (!batched[1]) return [b.dynamicSlice([x!, b.concat([zero, start!], { axis: 0 })], { sizes: out!.shape })];
    const all = withBatch(b, x!, batched[0], batch);
    return [b.gather([flatten(b, all), placesOf(b, start!, batch, all.aval.shape.slice(1), sizes)], { axis: 0 })];
  },
});
/**
 * The window of `sizes` whose first element is at `start`, a vector that may be computed: inside of loops and functions.
 * A start that would let the window reach beyond `x` is moved back.
 * @param start int32, one entry an axis
 * @throws E_SHAPE where the window is larger than `x`
 * @example tf.dynamicSlice([1, 2, 3, 4], [2], { sizes: [2] }) // [3, 4]
 * @public
 */
export function dynamicSlice<const X extends Like, const N extends Shape>(
  x: X,
  start: Like,
  options: { readonly sizes: N },
): Out<N, DTypeOf<X>> {
  return typed(apply(dynamicSliceOp, [toTensor(x), toStart("dynamicSlice", start)], { sizes: options.sizes }));
}
export const dynamicSliceCases: Cases<DynamicSliceAttrs> = cases(dynamicSliceOp, () => ({
  samples: [
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-1, 6],
      ],
      attrs: { sizes: [2] },
    },
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-1, 6],
      ],
      attrs: { sizes: [0] },
    },
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-6, -1],
      ],
      attrs: { sizes: [2] },
    },
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-4, 0],
      ],
      attrs: { sizes: [2] },
    },
    {
      ins: [[3, 17], [2]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [0, 9],
      ],
      attrs: { sizes: [2, 15] },
    },
    { ins: [[], [0]], dtypes: ["*", "int32"], attrs: { sizes: [] } },
    {
      ins: [[1, 2, 1, 3, 2, 2], [6]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [0, 2],
      ],
      attrs: { sizes: [1, 1, 1, 2, 2, 1] },
    },
  ],
  edges: [
    { ins: [[1, -0, NaN], [1]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, want: [-0, NaN] },
    { ins: [[1, 2, 3], [-7]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, want: [1, 2] },
    { ins: [[1, 2, 3], [7]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, want: [2, 3] },
  ],
  reject: [
    { ins: [[3], [1]], attrs: { sizes: [2] }, code: "dynamicSlice.C1" },
    { ins: [[3], [2]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, code: "dynamicSlice.C2" },
    { ins: [[3], [1]], dtypes: ["float32", "int32"], attrs: { sizes: [4] }, code: "dynamicSlice.C3" },
  ],
}));

export const dynamicUpdateSliceOp: Op<"dynamicUpdateSlice", NoAttrs> = defineOp({
  name: "dynamicUpdateSlice",
  version: 1,
  kind: "index",
  arity: 3,
  infer([x, update, start]) {
    checkDType(
      "dynamicUpdateSlice.C4",
      update!.dtype === x!.dtype,
      () => `needs one dtype, got ${x!.dtype} and ${update!.dtype}`,
    );
    checkWindow("dynamicUpdateSlice", x!, start!, update!.shape);
    return [x!];
  },
  reference([x, update, start], _attrs, [out]) {
    for (let i = 0; i < x!.data.length; i++) out!.data[i] = x!.data[i]!;
    forEachInWindow(x!, start!, update!.shape, (at, flat) => {
      out!.data[at] = update!.data[flat]!;
    });
  },
  vjp: (b, [g], [, update, start]) => [
    b.dynamicUpdateSlice([g!, fillLike(b, update!, 0), start!]),
    b.dynamicSlice([g!, start!], { sizes: update!.aval.shape }),
    null,
  ],
  batch(b, [x, update, start], batched, _attrs, [out]) {
    const batch = out!.shape[0]!;
    const [all, updates] = [withBatch(b, x!, batched[0], batch), withBatch(b, update!, batched[1], batch)];
    if (!batched[2]) {
      const zero = stretch(b, scalarOf(b, "int32", 0), [1], []);
      return [b.dynamicUpdateSlice([all, updates, b.concat([zero, start!], { axis: 0 })])];
    }
    const places = placesOf(b, start!, batch, all.aval.shape.slice(1), updates.aval.shape.slice(1));
    const set = b.scatterSet([flatten(b, all), flatten(b, places), flatten(b, updates)], { axis: 0 });
    return [b.reshape([set], { shape: out!.shape })];
  },
});
/**
 * `x` with `update` in place of the window that begins at `start`, which may be computed; as `dynamicSlice`.
 * @param start int32, one entry an axis
 * @throws E_SHAPE where `update` is larger than `x`
 * @example tf.dynamicUpdateSlice([1, 2, 3, 4], [8, 9], [1]) // [1, 8, 9, 4]
 * @public
 */
export function dynamicUpdateSlice<const X extends Like>(x: X, update: Like, start: Like): Same<X> {
  const t = toTensor(x);
  const u = castTo(toTensor(update, t.dtype), t.dtype);
  return typed(apply(dynamicUpdateSliceOp, [t, u, toStart("dynamicUpdateSlice", start)]));
}
export const dynamicUpdateSliceCases: Cases<NoAttrs> = cases(dynamicUpdateSliceOp, () => ({
  samples: [
    {
      ins: [[5], [2], [1]],
      dtypes: ["*", "*", "int32"],
      domain: [
        [-2, 2],
        [-2, 2],
        [-1, 6],
      ],
      attrs: noAttrs,
    },
    {
      ins: [[5], [0], [1]],
      dtypes: ["*", "*", "int32"],
      domain: [
        [-2, 2],
        [-2, 2],
        [-1, 6],
      ],
      attrs: noAttrs,
    },
    {
      ins: [[3, 17], [2, 15], [2]],
      dtypes: ["*", "*", "int32"],
      domain: [
        [-2, 2],
        [-2, 2],
        [0, 9],
      ],
      attrs: noAttrs,
    },
    { ins: [[], [], [0]], dtypes: ["*", "*", "int32"], attrs: noAttrs },
  ],
  edges: [
    { ins: [[1, 2, 3], [NaN, -0], [9]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, want: [1, NaN, -0] },
    { ins: [[1, 2, 3], [8], [-9]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, want: [8, 2, 3] },
  ],
  reject: [
    { ins: [[3], [2], [1]], attrs: noAttrs, code: "dynamicUpdateSlice.C1" },
    { ins: [[3], [2], [2]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, code: "dynamicUpdateSlice.C2" },
    { ins: [[3], [4], [1]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, code: "dynamicUpdateSlice.C3" },
    { ins: [[3], [2], [1]], dtypes: ["float32", "int32", "int32"], attrs: noAttrs, code: "dynamicUpdateSlice.C4" },
  ],
}));

function toStart(name: string, start: Like): ReturnType<typeof toIndices> {
  return castTo(toIndices(name, start), "int32");
}
