// The definition of dotGeneral: plain loops over batch, rows, columns and the contracted axes.
import { type HostArray, stridesOf } from "../../ir/host.js";
import { type DType, dtypes } from "../../types/dtype.js";
import { axesOf } from "../rules.js";
import type { DotAttrs } from "./dot-general.js";

/** The axes of a rank that are neither batch nor contracted, rising. */
export function freeAxes(rank: number, batch: readonly number[], contract: readonly number[]): number[] {
  return axesOf(rank).filter((axis) => !batch.includes(axis) && !contract.includes(axis));
}

/** Where each element along `axes` lies, in row-major order of those axes. */
function offsets({ shape }: HostArray, axes: readonly number[]): number[] {
  const steps = stridesOf(shape);
  let list = [0];
  for (const axis of axes) {
    list = list.flatMap((at) => Array.from({ length: shape[axis]! }, (_, i) => at + i * steps[axis]!));
  }
  return list;
}

/** Writes the product of `a` and `b` into `out`. */
export function contract(a: HostArray, b: HostArray, attrs: DotAttrs, out: HostArray): void {
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = attrs;
  const [batchA, batchB] = [offsets(a, lhsBatch), offsets(b, rhsBatch)];
  const rows = offsets(a, freeAxes(a.shape.length, lhsBatch, lhsContract));
  const columns = offsets(b, freeAxes(b.shape.length, rhsBatch, rhsContract));
  const [innerA, innerB] = [offsets(a, lhsContract), offsets(b, rhsContract)];
  const dot = dotIn(a, b);
  let at = 0;
  for (let n = 0; n < batchA.length; n++) {
    for (const row of rows) {
      for (const column of columns) out.data[at++] = dot(innerA, batchA[n]! + row, innerB, batchB[n]! + column);
    }
  }
}

type Dot = (innerA: readonly number[], atA: number, innerB: readonly number[], atB: number) => number | bigint;

/** The sum of products in the dtype's own domain: doubles for floats, wrapping integers. */
function dotIn({ dtype, data: a }: HostArray, { data: b }: HostArray): Dot {
  if (dtype === "int64") {
    return (ia, pa, ib, pb) => ia.reduce((sum, i, k) => sum + BigInt(a[pa + i]!) * BigInt(b[pb + ib[k]!]!), 0n);
  }
  if (dtype === "float32" || dtype === "float64") {
    return (ia, pa, ib, pb) => {
      let sum = 0;
      for (let k = 0; k < ia.length; k++) sum += Number(a[pa + ia[k]!]) * Number(b[pb + ib[k]!]);
      return sum;
    };
  }
  return (ia, pa, ib, pb) =>
    ia.reduce((sum, i, k) => (sum + Math.imul(Number(a[pa + i]), Number(b[pb + ib[k]!]))) | 0, 0);
}

/** Sums of products of single elements, in the dtype's own domain. */
export interface MultiplyAdd {
  readonly zero: number | bigint;
  multiplyAdd(sum: number | bigint, x: number | bigint, y: number | bigint): number | bigint;
}

export function multiplyAddIn(dtype: DType): MultiplyAdd {
  if (dtype === "int64") return { zero: 0n, multiplyAdd: (sum, x, y) => BigInt(sum) + BigInt(x) * BigInt(y) };
  if (dtypes[dtype].isFloat) return { zero: 0, multiplyAdd: (sum, x, y) => Number(sum) + Number(x) * Number(y) };
  return { zero: 0, multiplyAdd: (sum, x, y) => (Number(sum) + Math.imul(Number(x), Number(y))) | 0 };
}
