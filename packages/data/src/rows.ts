// Values in JavaScript's memory: arrays of one shape that lie one after the other, so that an element is a place in
// them.
import * as tf from "@millrace/core";
import { type DType, MillraceError, type Tensor, type TypedArray } from "@millrace/core";
import { allocate, dtypeOfArrayType } from "@millrace/core/graph";
import { isTypedArray } from "./structure.js";

/** Dense arrays of one shape and dtype, one after the other. */
export interface Rows {
  readonly dtype: DType;
  /** The shape of one row. */
  readonly shape: readonly number[];
  /** The elements of one row. */
  readonly size: number;
  readonly data: TypedArray;
}

/** One row, by reference: what a sliced source hands on instead of a tensor. */
export class Row {
  readonly rows: Rows;
  readonly index: number;
  constructor(rows: Rows, index: number) {
    this.rows = rows;
    this.index = index;
  }
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export function makeRows(dtype: DType, shape: readonly number[], data: TypedArray): Rows {
  return { dtype, shape, size: sizeOf(shape), data };
}

/** A leaf that is no tensor as a row; undefined where it has no dtype: a string, an object of a class. */
export function rowOf(value: unknown): Row | undefined {
  if (value instanceof Row) return value;
  if (isTypedArray(value)) {
    // The tag and not instanceof: a worker or a test runner has other constructors.
    const dtype = dtypeOfArrayType.get(value[Symbol.toStringTag]);
    return dtype && new Row(makeRows(dtype, [value.length], value), 0);
  }
  const shape = shapeOfNested(value);
  const dtype = dtypeOfFirst(value);
  if (dtype === undefined) return undefined;
  const data = allocate(dtype, sizeOf(shape));
  fill(data, { at: 0 }, value, shape, 0, dtype);
  return new Row(makeRows(dtype, shape, data), 0);
}

/** A tensor's content. The tensor may be disposed of as soon as this has returned its promise. */
export async function readRow(tensor: Tensor): Promise<Row> {
  const { dtype, shape } = tensor;
  return new Row(makeRows(dtype, shape, await tensor.data()), 0);
}

/** Rows split along their first axis, without a copy. */
export function splitRow({ rows, index }: Row): Row[] {
  const [count = 0, ...shape] = rows.shape;
  const parts = makeRows(rows.dtype, shape, rows.data);
  return Array.from({ length: count }, (_, i) => new Row(parts, index * count + i));
}

/** A row as a tensor of its own. */
export function upload({ rows, index }: Row): Tensor {
  return uploadAs(rows.data.subarray(index * rows.size, (index + 1) * rows.size), rows.shape, rows.dtype);
}

/** Rows of one shape and dtype as one tensor: copied once into place, not at all where they already lie in order. */
export function uploadStack(list: readonly Row[]): Tensor {
  const { rows, index } = list[0]!;
  const shape = [list.length, ...rows.shape];
  const inOrder = list.every((row, i) => row.rows === rows && row.index === index + i);
  return inOrder
    ? uploadAs(rows.data.subarray(index * rows.size, (index + list.length) * rows.size), shape, rows.dtype)
    : uploadAs(gather(list), shape, rows.dtype);
}

/** Rows shorter than this are copied faster by a loop than by subarray and `set`, on V8. */
const loopBelow = 16;

function gather(list: readonly Row[]): TypedArray {
  const { dtype, size } = list[0]!.rows;
  const out = allocate(dtype, list.length * size);
  let at = 0;
  for (const { rows, index } of list) {
    const from = index * size;
    if (size < loopBelow) for (let i = 0; i < size; i++) out[at + i] = rows.data[from + i]!;
    // boundary: both are of one dtype, so bigints meet bigints and numbers meet numbers
    else (out as Float32Array).set(rows.data.subarray(from, from + size) as Float32Array, at);
    at += size;
  }
  return out;
}

function uploadAs(data: TypedArray, shape: readonly number[], dtype: DType): Tensor {
  return tf.tidy(() => tf.tensor(data, shape, dtype));
}

function shapeOfNested(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOfNested(value[0])] : [];
}

/** Booleans are bool, bigints int64 and numbers float32, as in `tf.tensor`; an empty array is float32. */
function dtypeOfFirst(value: unknown): DType | undefined {
  if (Array.isArray(value)) return value.length === 0 ? "float32" : dtypeOfFirst(value[0]);
  if (typeof value === "number") return "float32";
  if (typeof value === "bigint") return "int64";
  return typeof value === "boolean" ? "bool" : undefined;
}

function fill(
  data: TypedArray,
  next: { at: number },
  value: unknown,
  shape: readonly number[],
  axis: number,
  dtype: DType,
): void {
  if (axis < shape.length) {
    if (!Array.isArray(value) || value.length !== shape[axis]) throw ragged(axis);
    for (const item of value) fill(data, next, item, shape, axis + 1, dtype);
    return;
  }
  if (Array.isArray(value)) throw ragged(axis);
  if (dtypeOfFirst(value) !== dtype) {
    throw new MillraceError("E_DTYPE", `an array holds a ${typeof value} beside values of ${dtype}; use one kind`);
  }
  // boundary: dtypeOfFirst has told the three kinds apart
  const item = value as number | bigint | boolean;
  data[next.at++] = typeof item === "boolean" ? Number(item) : item;
}

function ragged(axis: number): MillraceError {
  return new MillraceError(
    "E_SHAPE",
    `rows of an array have different lengths along axis ${axis}; a pair is { xs, ys }`,
  );
}
