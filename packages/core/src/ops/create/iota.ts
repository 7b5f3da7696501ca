// Tensors that count: iota, and what is made of it.
import { avalOf, dispatch, typed } from "../../ir/apply.js";
import { formatShape } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Dim } from "../../ir/dim.js";
import { forEachIndex } from "../../ir/host.js";
import { checkAttr, checkDType, defineOp, type Op } from "../../ir/op.js";
import type { DType } from "../../types/dtype.js";
import { MillraceError } from "../../types/errors.js";
import type { Like, Out } from "../../types/operands.js";
import type { OneHot } from "../../types/rules/index-ops.js";
import type { Arg, Shape } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { addOp, mulOp } from "../binary/arithmetic.js";
import { eqOp } from "../compare/order.js";
import { where } from "../compare/select.js";
import { numeric } from "../elementwise.js";
import { toIndices } from "../index/rows.js";
import { apply, binary, castTo, stretchTo, toTensor } from "../public.js";
import { axesOf, stretch } from "../rules.js";
import { expandDims } from "../shape/axes.js";
import { checkSizes } from "./fill.js";

/** Every element is its own index along `axis`. */
export type IotaAttrs = { readonly shape: readonly Dim[]; readonly axis: number; readonly dtype: DType };

export const iotaOp: Op<"iota", IotaAttrs> = defineOp({
  name: "iota",
  version: 1,
  kind: "constant",
  computes: true,
  arity: 0,
  sizeAttrs: ["shape"],
  infer(_ins, { shape, axis, dtype }) {
    checkDType("iota.C1", numeric.has(dtype), () => `needs a number, got ${dtype}`);
    const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
    checkAttr("iota.C2", inRange, () => `axis ${axis} is out of range for ${formatShape(shape)}`);
    return [{ dtype, shape }];
  },
  reference(_ins, { axis, dtype }, [out]) {
    const wide = dtype === "int64";
    forEachIndex(out!.shape, (index, flat) => {
      out!.data[flat] = wide ? BigInt(index[axis]!) : index[axis]!;
    });
  },
  vjp: () => [],
  batch: (b, _ins, _batched, attrs, [out]) => [
    stretch(
      b,
      b.iota([], attrs),
      out!.shape,
      axesOf(attrs.shape.length).map((i) => i + 1),
    ),
  ],
});
export const iotaCases: Cases<IotaAttrs> = cases(iotaOp, () => ({
  samples: [
    { ins: [], attrs: { shape: [17], axis: 0, dtype: "float32" } },
    { ins: [], attrs: { shape: [2, 3, 4], axis: 0, dtype: "int32" } },
    { ins: [], attrs: { shape: [2, 3, 4], axis: 1, dtype: "float64" } },
    { ins: [], attrs: { shape: [2, 3, 4], axis: 2, dtype: "int64" } },
    { ins: [], attrs: { shape: [3, 0], axis: 0, dtype: "uint8" } },
    { ins: [], attrs: { shape: [1, 2, 1, 2, 1, 3], axis: 5, dtype: "float32" } },
  ],
  edges: [
    {
      ins: [],
      attrs: { shape: [2, 2], axis: 0, dtype: "int32" },
      want: [
        [0, 0],
        [1, 1],
      ],
    },
    {
      ins: [],
      attrs: { shape: [2, 2], axis: 1, dtype: "float32" },
      want: [
        [0, 1],
        [0, 1],
      ],
    },
    { ins: [], attrs: { shape: [0], axis: 0, dtype: "int64" }, want: [] },
  ],
  reject: [
    { ins: [], attrs: { shape: [2], axis: 0, dtype: "bool" }, code: "iota.C1" },
    { ins: [], attrs: { shape: [2], axis: 1, dtype: "int32" }, code: "iota.C2" },
    { ins: [], attrs: { shape: [], axis: 0, dtype: "int32" }, code: "iota.C2" },
  ],
}));

const iota = (shape: readonly Dim[], axis: number, dtype: DType): Tensor => apply(iotaOp, [], { shape, axis, dtype });

/**
 * start, start + step, … up to but without `stop`; empty where `step` leads away from it.
 * @example tf.range(0, 6, 2) // [0, 2, 4]
 * @public
 */
export function range(start: number, stop: number, step?: number): Tensor<[number], "float32">;
export function range<D extends DType>(start: number, stop: number, step: number, dtype: D): Tensor<[number], D>;
export function range(start: number, stop: number, step = 1, dtype: DType = "float32"): Tensor {
  const count = Math.ceil((stop - start) / step);
  if (!Number.isSafeInteger(count) || step === 0) {
    throw new MillraceError("E_ARGUMENT", `range: no count of steps of ${step} leads from ${start} to ${stop}`, {
      op: "range",
    });
  }
  // A negative step does not fit into a uint8, though the result may.
  const work = dtype === "uint8" ? "int32" : dtype;
  const counted = iota([Math.max(0, count)], 0, work);
  return castTo(binary(addOp, binary(mulOp, counted, step), start), dtype);
}

/**
 * `num` numbers from `start` to `stop`, both included, equally far apart.
 * @example tf.linspace(0, 1, 5) // [0, 0.25, 0.5, 0.75, 1]
 * @public
 */
export function linspace(start: number, stop: number, num: number): Tensor<[number], "float32"> {
  if (!Number.isSafeInteger(num) || num < 1) {
    throw new MillraceError("E_ARGUMENT", `linspace: num must be a whole number from 1, got ${num}`, {
      op: "linspace",
    });
  }
  const last = num - 1;
  const values = Float32Array.from({ length: num }, (_, i) =>
    last === 0 ? start : (start * (last - i) + stop * i) / last,
  );
  return typed(dispatch.current.toTensor(values));
}

/**
 * The identity matrix: ones on the diagonal, zeros elsewhere, repeated over `batchShape`.
 * @example tf.eye(2) // [[1, 0], [0, 1]]
 * @public
 */
export function eye<const R extends number>(numRows: R): Tensor<[R, R], "float32">;
export function eye<const R extends number, const C extends number>(
  numRows: R,
  numColumns: C,
): Tensor<[R, C], "float32">;
export function eye<const R extends number, const C extends number, const B extends Shape, D extends DType = "float32">(
  numRows: R,
  numColumns: C,
  batchShape: B,
  dtype?: D,
): Tensor<[...B, R, C], D>;
export function eye(numRows: number, numColumns = numRows, batchShape: Shape = [], dtype: DType = "float32"): Tensor {
  const shape = checkSizes("eye", [...batchShape, numRows, numColumns]).slice(-2);
  const diagonal = binary(eqOp, iota(shape, 0, "int32"), iota(shape, 1, "int32"));
  return stretchTo(castTo(diagonal, dtype), [...batchShape, ...shape]);
}

/**
 * A new last axis of size `depth` with `onValue` at each index and `offValue` elsewhere; an index outside of it is nowhere.
 * @example tf.oneHot([1, 0], 3) // [[0, 1, 0], [1, 0, 0]]
 * @method
 */
export function oneHot<const I extends Like, const N extends number>(
  indices: Arg<OneHot<I, N>, I>,
  depth: N,
): Out<OneHot<I, N>, "int32">;
export function oneHot<const I extends Like, const N extends number, D extends DType = "int32">(
  indices: Arg<OneHot<I, N>, I>,
  depth: N,
  onValue: number,
  offValue: number,
  dtype?: D,
): Out<OneHot<I, N>, D>;
export function oneHot(indices: unknown, depth: number, onValue = 1, offValue = 0, dtype: DType = "int32"): Tensor {
  checkSizes("oneHot", [depth]);
  const t = toIndices("oneHot", indices as Like);
  const counting: DType = t.dtype;
  const shape = [...avalOf(t).shape, depth];
  const chosen = stretchTo(typed<Tensor>(expandDims(t, -1)), shape);
  return dispatch.current.near(t, () => {
    const hot = apply(eqOp, [chosen, iota(shape, shape.length - 1, counting)]);
    if (onValue === 1 && offValue === 0) return castTo(hot, dtype);
    return where(hot, toTensor(onValue, dtype), toTensor(offValue, dtype));
  });
}
