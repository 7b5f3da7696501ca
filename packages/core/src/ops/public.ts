// What public functions do before an op is applied: operands become tensors, dtypes meet, shapes are stretched.
import { avalOf, dispatch } from "../ir/apply.js";
import { type Attrs, noAttrs } from "../ir/attrs.js";
import { type Dim, dimKey } from "../ir/dim.js";
import type { AnyOp } from "../ir/op.js";
import { type DType, dtypes, promote } from "../types/dtype.js";
import type { Like } from "../types/operands.js";
import type { Tensor } from "../types/tensor.js";
import { broadcasting, broadcastShapes, noBroadcast } from "./broadcasting.js";
import { refusal } from "./refuse.js";
import { axesOf } from "./rules.js";

export { broadcastShapes, noBroadcast };

/** Whether a value is a tensor, of this or another realm: nothing else has a dtype and a shape. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value;
}

export function toTensor(x: Like, dtype?: DType): Tensor {
  return isTensor(x) ? x : dispatch.current.toTensor(x, dtype);
}

export function apply1(op: AnyOp, x: Tensor, attrs: Attrs = noAttrs): Tensor {
  return dispatch.current.apply1(op, x, attrs);
}

export function apply(op: AnyOp, ins: readonly Tensor[], attrs: Attrs = noAttrs): Tensor {
  return dispatch.current.apply(op, ins, attrs)[0]!;
}

/** The dtype in which an op on floats computes `dtype`: integers compute in float32. */
export function floatDType(dtype: DType): DType {
  return dtypes[dtype].isFloat ? dtype : "float32";
}

/** An operand of a function that computes in floats. */
export function toFloat(x: Like): Tensor {
  const t = toTensor(x);
  return castTo(t, floatDType(t.dtype));
}

let castOp: AnyOp | undefined;
let broadcastOp: AnyOp | undefined;

/** Gives this file the two ops that conversion needs; called where they are defined, so that there is no import cycle. */
export function provideConversions(ops: { cast?: AnyOp; broadcastInDim?: AnyOp }): void {
  castOp = ops.cast ?? castOp;
  broadcastOp = ops.broadcastInDim ?? broadcastOp;
}

export function castTo(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply1(castOp!, x, { dtype });
}

function sameSizes(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i] || dimKey(d) === dimKey(b[i]!));
}

/** `x` stretched to `shape`, aligned at the last axis. */
export function stretchTo(x: Tensor, shape: readonly Dim[]): Tensor {
  const from = avalOf(x).shape;
  if (sameSizes(from, shape)) return x;
  const lead = shape.length - from.length;
  return apply1(broadcastOp!, x, { shape, dims: axesOf(from.length).map((i) => i + lead) });
}

/** Both operands in the dtype that they promote to; a plain number takes the other's dtype where that can hold it. */
export function promoted(name: string, a: Like, b: Like): [Tensor, Tensor] {
  const x = isTensor(a) ? a : isTensor(b) ? operand(a, literalDType(name, a, b.dtype), b) : operand(a, undefined);
  const y = isTensor(b) ? b : operand(b, literalDType(name, b, x.dtype), x);
  const dtype = promote(x.dtype, y.dtype);
  return [castTo(x, dtype), castTo(y, dtype)];
}

/** A plain value as an operand, on the device of the one beside it. */
function operand(x: Like, dtype: DType | undefined, beside?: Tensor): Tensor {
  return typeof x === "number"
    ? dispatch.current.scalar(x, dtype ?? "float32", beside)
    : dispatch.current.toTensor(x, dtype, undefined, beside);
}

/** The dtype of a plain number beside a tensor of `dtype`; arrays keep their own. */
function literalDType(name: string, value: Like, dtype: DType): DType | undefined {
  if (typeof value === "number") {
    if (dtype === "bool") return "float32";
    if (dtypes[dtype].isInteger && !Number.isInteger(value)) {
      throw refusal(`${name}.dtype`, `${value} is no ${dtype}; cast the tensor to float32 first`, [], "E_DTYPE");
    }
    return dtype;
  }
  return typeof value === "bigint" && dtypes[dtype].isInteger ? dtype : undefined;
}

/** An operand of a function on truth values. */
export function requireBool(name: string, x: Tensor): Tensor {
  if (x.dtype === "bool") return x;
  throw refusal(`${name}.dtype`, `needs bool, got ${x.dtype}; compare with 0 first`, [avalOf(x)], "E_DTYPE");
}

/** Applies an op on two operands of one shape and dtype after promotion and broadcasting. */
export function binary(op: AnyOp, a: Like, b: Like): Tensor {
  const known = dispatch.current.hit2(op, a, b);
  if (known !== undefined) return known;
  const [x, y] = promoted(op.name, a, b);
  return broadcastAnd2(op, x, y);
}

/** As `binary`, but integers compute in floats. */
export function binaryFloat(op: AnyOp, a: Like, b: Like): Tensor {
  const [x, y] = promoted(op.name, a, b);
  return broadcastAnd2(op, toFloat(x), toFloat(y));
}

function broadcastAnd2(op: AnyOp, x: Tensor, y: Tensor): Tensor {
  const [p, q] = [avalOf(x), avalOf(y)];
  if (p === q) return dispatch.current.apply2(op, x, y); // types are interned
  const shape = broadcastShapes(p.shape, q.shape);
  if (!shape) throw noBroadcast(op.name, p, q);
  const equal = sameSizes(p.shape, shape) && sameSizes(q.shape, shape);
  if (!equal && dispatch.current.isPlain()) return dispatch.current.apply2(broadcasting(op), x, y);
  return dispatch.current.apply2(op, stretchTo(x, shape), stretchTo(y, shape));
}

/** An axis from 0: negative ones count from the end. */
export function axisOf(name: string, axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && index >= 0 && index < rank) return index;
  throw refusal(`${name}.axis`, `axis ${axis} is out of range for rank ${rank}`, [], "E_ARGUMENT");
}

/** Axes from 0, sorted; undefined is all of them. */
export function axesFrom(name: string, axis: number | readonly number[] | undefined, rank: number): number[] {
  if (axis === undefined || axis === null) return axesOf(rank);
  const list = typeof axis === "number" ? [axis] : axis;
  if (!Array.isArray(list))
    throw refusal(`${name}.axis`, `axis is a number or a list, got ${typeof axis}`, [], "E_ARGUMENT");
  return [...new Set(list.map((a) => axisOf(name, a, rank)))].sort((a, b) => a - b);
}
