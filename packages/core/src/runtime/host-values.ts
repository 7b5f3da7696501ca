// Values between JavaScript and tensors: literals going in, nested arrays and previews coming out.
import { allocate, countOf, toElement, toNumber } from "../ir/host.js";
import { type DType, dtypeOfArrayType, dtypes, isDType, type TypedArray } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";

/** The content of a plain value: a number, nested arrays, or a typed array. */
export interface HostValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

type Leaf = number | bigint | boolean;

const tagOf = (x: unknown): string => Object.prototype.toString.call(x).slice(8, -1);

/** Reads a literal. Throws E_SHAPE where rows differ, E_DTYPE where a leaf is no number or there is no such dtype. */
export function readLiteral(value: unknown, dtype?: DType): HostValue {
  if (dtype !== undefined && !isDType(dtype)) {
    const known = Object.keys(dtypes).join(", ");
    throw new MillraceError("E_DTYPE", `there is no dtype ${String(dtype)}; there are ${known}`);
  }
  // The tag and not instanceof: a test runner or a worker has other constructors.
  const tag = ArrayBuffer.isView(value) ? tagOf(value) : "";
  const narrow = dtype && dtypes[dtype].computesIn && dtypes[dtype].arrayType === tag ? dtype : undefined;
  const own = narrow ?? dtypeOfArrayType.get(tag);
  if (own) {
    // boundary: the tag says which typed array it is
    const data = value as TypedArray;
    return { dtype: dtype ?? own, shape: [data.length], data: dtype && dtype !== own ? convert(data, dtype) : data };
  }
  if (isNarrowArray(tag) && dtype === undefined)
    throw new MillraceError("E_DTYPE", `a ${tag} does not say its dtype: name one, such as bfloat16`);
  const shape = shapeOf(value);
  const leaves: Leaf[] = [];
  flatten(value, shape, 0, leaves);
  const type = dtype ?? dtypeOfLeaf(leaves[0]);
  const data = allocate(type, leaves.length);
  for (let i = 0; i < leaves.length; i++) data[i] = toElement(type, leaves[i]!);
  return { dtype: type, shape, data };
}

const isNarrowArray = (tag: string): boolean => Object.values(dtypes).some((d) => d.computesIn && d.arrayType === tag);

function convert(data: TypedArray, dtype: DType): TypedArray {
  const out = allocate(dtype, data.length);
  for (let i = 0; i < data.length; i++) out[i] = toElement(dtype, data[i]!);
  return out;
}

function dtypeOfLeaf(leaf: Leaf | undefined): DType {
  if (typeof leaf === "boolean") return "bool";
  return typeof leaf === "bigint" ? "int64" : "float32";
}

function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  let at = value;
  while (isList(at)) {
    shape.push(at.length);
    at = at[0];
  }
  return shape;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

function flatten(value: unknown, shape: readonly number[], axis: number, into: Leaf[]): void {
  if (axis === shape.length) {
    if (isList(value)) throw ragged(axis);
    const kind = typeof value;
    if (kind !== "number" && kind !== "bigint" && kind !== "boolean") {
      throw new MillraceError("E_DTYPE", `tensor: ${value === null ? "null" : kind} is no element of a tensor`);
    }
    // boundary: the three kinds that were just told apart
    into.push(value as Leaf);
    return;
  }
  if (!isList(value) || value.length !== shape[axis]) throw ragged(axis);
  for (let i = 0; i < value.length; i++) flatten(value[i], shape, axis + 1, into);
}

function ragged(axis: number): MillraceError {
  return new MillraceError("E_SHAPE", `tensor: rows have different lengths along axis ${axis}`);
}

/** Elements as nested arrays; bool as booleans. Rank 0 is the element itself. */
export function nest(data: TypedArray, dtype: DType, shape: readonly number[]): unknown {
  let at = 0;
  const level = (axis: number): unknown => {
    if (axis === shape.length) {
      const x = toNumber(dtype, data[at++]!);
      return dtype === "bool" ? x !== 0 : x;
    }
    return Array.from({ length: shape[axis]! }, () => level(axis + 1));
  };
  return level(0);
}

/** Rows and columns at the ends, as numpy prints them. */
export function previewOf(data: TypedArray, dtype: DType, shape: readonly number[]): string {
  const edge = countOf(shape) > 1000 ? 3 : Number.POSITIVE_INFINITY;
  const strides = shape.map((_, i) => countOf(shape.slice(i + 1)));
  const show = (offset: number): string => {
    const x = toNumber(dtype, data[offset]!);
    if (dtype === "bool") return x ? "true" : "false";
    return dtypes[dtype].isFloat ? `${Number(Number(x).toPrecision(7))}` : `${x}`;
  };
  const level = (axis: number, offset: number): string => {
    if (axis === shape.length) return show(offset);
    const n = shape[axis]!;
    const skip = n > 2 * edge;
    const rows: string[] = [];
    for (let i = 0; i < n; i++) {
      if (skip && i === edge) rows.push("…");
      if (skip && i >= edge && i < n - edge) continue;
      rows.push(level(axis + 1, offset + i * strides[axis]!));
    }
    return `[${rows.join(axis === shape.length - 1 ? ", " : `,\n${" ".repeat(axis + 1)}`)}]`;
  };
  return level(0, 0);
}
