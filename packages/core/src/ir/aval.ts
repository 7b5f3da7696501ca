import type { DType } from "../types/dtype.js";
import { allTrue, type Dim, dimKey, eqDim, productDim, type Truth } from "./dim.js";

/** An abstract value: what is known of a tensor before it has data. */
export interface Aval {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** What a rule computes with: a value in a graph, or a tensor. */
export interface Val {
  readonly aval: Aval;
}

/** What is known of each value. */
export function avalsOf(values: readonly Val[]): Aval[] {
  return values.map((x) => x.aval);
}

/** The number of elements. */
export function sizeOf(aval: Aval): Dim {
  return productDim(aval.shape);
}

/** `[2,B,3]` */
export function formatShape(shape: readonly Dim[]): string {
  return `[${shape.map(dimKey).join(",")}]`;
}

/** `float32[2,B,3]`, also the canonical key of an aval. */
export function formatAval(aval: Aval): string {
  return `${aval.dtype}${formatShape(aval.shape)}`;
}

/** Whether two shapes are equal: undecided sizes come back as a guard. */
export function sameShape(a: readonly Dim[], b: readonly Dim[]): Truth {
  return a === b || (a.length === b.length && allTrue(a.map((d, i) => eqDim(d, b[i]!))));
}

/** Whether every size is a number. */
export function isStatic(shape: readonly Dim[]): shape is readonly number[] {
  return shape.every((d) => typeof d === "number");
}
