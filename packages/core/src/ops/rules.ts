// Short phrases that rules and decompositions are written in.
import type { Aval, Val } from "../ir/aval.js";
import { type Dim, dimKey } from "../ir/dim.js";
import { allocate, toElement } from "../ir/host.js";
import { type DType, dtypes } from "../types/dtype.js";
import type { Ops } from "./names.js";

/** Whether a value can have a gradient. */
export const isFloat = (x: Val): boolean => dtypes[x.aval.dtype].isFloat;

/** A rank-0 constant. */
export function scalarOf(b: Ops, dtype: DType, value: number | bigint | boolean): Val {
  const data = allocate(dtype, 1);
  data[0] = toElement(dtype, value);
  return b.constant([], { dtype, shape: [], data });
}

/** A constant in the shape and dtype of `like`. */
export function fillLike(b: Ops, like: Val, value: number): Val {
  return stretch(b, scalarOf(b, like.aval.dtype, value), like.aval.shape, []);
}

/** Zeros of an aval. */
export function zerosOf(b: Ops, { dtype, shape }: Aval): Val {
  return stretch(b, scalarOf(b, dtype, 0), shape, []);
}

/** Operand axis j becomes axis `dims[j]` of `shape`; nothing is done where that changes nothing. */
export function stretch(b: Ops, x: Val, shape: readonly Dim[], dims: readonly number[]): Val {
  const same = x.aval.shape.length === shape.length && x.aval.shape.every((d, i) => dimKey(d) === dimKey(shape[i]!));
  return same ? x : b.broadcastInDim([x], { shape, dims });
}

/** `x` stretched over leading axes, so that it has the shape of `model`. */
export function broadcastLike(b: Ops, x: Val, model: Val): Val {
  const { shape } = model.aval;
  const lead = shape.length - x.aval.shape.length;
  return stretch(
    b,
    x,
    shape,
    x.aval.shape.map((_, i) => i + lead),
  );
}

/** The axes of a rank: [0, 1, …]. */
export function axesOf(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}

/** Puts size-1 axes back where a reduction removed them, and stretches over them. */
export function unreduce(b: Ops, reduced: Val, axes: readonly number[], shape: readonly Dim[]): Val {
  return stretch(
    b,
    reduced,
    shape,
    axesOf(shape.length).filter((i) => !axes.includes(i)),
  );
}

/** The permutation that undoes `perm`. */
export function inversePerm(perm: readonly number[]): number[] {
  const inverse = new Array<number>(perm.length);
  perm.forEach((from, to) => {
    inverse[from] = to;
  });
  return inverse;
}

/** x · y, elementwise with a constant factor. */
export function scale(b: Ops, x: Val, factor: number): Val {
  return b.mul([x, fillLike(b, x, factor)]);
}

/** x + a constant. */
export function shift(b: Ops, x: Val, by: number): Val {
  return b.add([x, fillLike(b, x, by)]);
}

/** x > 0, elementwise; false for NaN. */
export function positive(b: Ops, x: Val): Val {
  return b.gt([x, fillLike(b, x, 0)]);
}

/** The derivative of a step: zero wherever there is one. */
export function zeroLike(b: Ops, x: Val): Val {
  return fillLike(b, x, 0);
}
