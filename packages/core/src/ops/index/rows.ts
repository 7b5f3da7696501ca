// What gather and scatter share: checks of an axis and its indices, and batching by one long axis of rows.
import { dispatch } from "../../ir/apply.js";
import { type Aval, formatShape, type Val } from "../../ir/aval.js";
import { type Dim, mulDim } from "../../ir/dim.js";
import { countOf, type HostArray } from "../../ir/host.js";
import { checkAttr, checkDType } from "../../ir/op.js";
import { type DType, dtypes } from "../../types/dtype.js";
import type { Like } from "../../types/operands.js";
import type { Tensor } from "../../types/tensor.js";
import type { Ops } from "../names.js";
import { castTo, isTensor } from "../public.js";
import { axesOf, inversePerm, scalarOf, stretch } from "../rules.js";

/** The axis that indices point into. */
export type IndexAttrs = { readonly axis: number };

/** Holds the rules on the axis and the indices, and gives the shape of the elements that they point at. */
export function indexedShape(name: string, x: Aval, indices: Aval, axis: number): Dim[] {
  const { shape } = x;
  const isIndex = indices.dtype === "int32" || indices.dtype === "int64";
  checkDType(`${name}.C1`, isIndex, () => `needs int32 or int64 indices, got ${indices.dtype}`);
  const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
  checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for ${formatShape(shape)}`);
  return [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
}

/** Indices into `x` as a tensor: plain numbers are int32, and uint8 becomes it. */
export function toIndices(name: string, indices: Like, x?: Tensor): Tensor {
  const t = isTensor(indices) ? indices : dispatch.current.toTensor(wholeNumbers(name, indices), "int32", undefined, x);
  const dtype: DType = t.dtype;
  checkDType(`${name}.C1`, dtypes[dtype].isInteger, () => `indices must be int32, got ${dtype}`);
  return dtype === "uint8" ? castTo(t, "int32") : t;
}

/** Numbers as they are; a fraction is refused, never truncated. */
function wholeNumbers<T>(name: string, value: T): T {
  if (typeof value === "number")
    checkDType(`${name}.C1`, Number.isInteger(value), () => `indices must be whole numbers, got ${value}`);
  else if (Array.isArray(value) || ArrayBuffer.isView(value))
    for (const one of value as never[]) wholeNumbers(name, one);
  return value;
}

/** Calls `visit` with where each addressed run of elements lies in x and in the picked elements; `from` is −1 outside. */
export function forEachRow(
  x: HostArray,
  indices: HostArray,
  axis: number,
  visit: (from: number, to: number, length: number) => void,
): void {
  const size = x.shape[axis]!;
  const length = countOf(x.shape.slice(axis + 1));
  const outer = countOf(x.shape.slice(0, axis));
  const count = indices.data.length;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      const index = Number(indices.data[i]);
      const inside = index >= 0 && index < size;
      visit(inside ? (o * size + index) * length : -1, (o * count + i) * length, length);
    }
  }
}

/** A size as an operand. */
export function dimensionOf(b: Ops, size: Dim, dtype: DType): Val {
  return typeof size === "number" ? scalarOf(b, dtype, size) : b.dimension([], { size, dtype });
}

/** `x` with a new leading axis of `size` where it has none yet. */
export function withBatch(b: Ops, x: Val, isBatched: boolean | undefined, size: Dim): Val {
  const { shape } = x.aval;
  return isBatched
    ? x
    : stretch(
        b,
        x,
        [size, ...shape],
        axesOf(shape.length).map((axis) => axis + 1),
      );
}

/** Axes put first; the others keep their order. */
export function axesFirst(rank: number, first: readonly number[]): number[] {
  return [...first, ...axesOf(rank).filter((axis) => !first.includes(axis))];
}

/** A tensor in a layout that an op can work on, and the way back to the one it had. */
export interface Rows {
  readonly val: Val;
  restore(y: Val): Val;
}

/** [B, …, n, …] → [B·n, …]: batch and the indexed axis become one axis of rows. */
export function toRows(b: Ops, x: Val, axis: number): Rows {
  const perm = axesFirst(x.aval.shape.length, [0, axis + 1]);
  const moved = transposed(b, x, perm);
  const { shape } = moved.aval;
  return {
    val: b.reshape([moved], { shape: [mulDim(shape[0]!, shape[1]!), ...shape.slice(2)] }),
    restore: (y) => transposed(b, b.reshape([y], { shape }), inversePerm(perm)),
  };
}

/** Where [B, …before, …indices, …after] has its axes when batch and indices are put first. */
export function picksFirst(rank: number, axis: number, indexRank: number): number[] {
  return axesFirst(rank, [0, ...axesOf(indexRank - 1).map((i) => i + axis + 1)]);
}

/** Indices [B, …] into an axis of size n, as indices into the B·n rows of `toRows`; those outside of the axis become −1. */
export function rowIndices(b: Ops, indices: Val, size: Dim): Val {
  const { dtype, shape } = indices.aval;
  const fill = (value: Val): Val => stretch(b, value, shape, []);
  const n = fill(dimensionOf(b, size, dtype));
  const inside = b.and([b.ge([indices, fill(scalarOf(b, dtype, 0))]), b.lt([indices, n])]);
  const batch = b.iota([], { shape, axis: 0, dtype });
  return b.select([inside, b.add([b.mul([batch, n]), indices]), fill(scalarOf(b, dtype, -1))]);
}

/** As `transpose`, but nothing where the order stays. */
export function transposed(b: Ops, x: Val, perm: readonly number[]): Val {
  return perm.every((p, i) => p === i) ? x : b.transpose([x], { perm });
}
