import { type DType, dtypes, type TypedArray } from "@millrace/core";

/** The content of a tensor on its way between a request, the engine and an answer: row-major values. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

const arrays = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Room for `count` elements, zeroed. */
export function allocate(dtype: DType, count: number): TypedArray {
  return new arrays[dtype](count);
}

/** The bytes of an array, not copied. */
export function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Copies `from` into `into` from element `at` on. Both hold the same dtype. */
export function copyInto(into: TypedArray, from: TypedArray, at: number): void {
  bytesOf(into).set(bytesOf(from), at * into.BYTES_PER_ELEMENT);
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((n, size) => n * size, 1);
}

/** TensorFlow's names of the dtypes: in signatures and protos, and in messages. */
export const dtypeNames: Readonly<
  Record<DType, { readonly proto: string; readonly number: number; readonly said: string }>
> = {
  bool: { proto: "DT_BOOL", number: 10, said: "bool" },
  uint8: { proto: "DT_UINT8", number: 4, said: "uint8" },
  int32: { proto: "DT_INT32", number: 3, said: "int32" },
  int64: { proto: "DT_INT64", number: 9, said: "int64" },
  float32: { proto: "DT_FLOAT", number: 1, said: "float" },
  float64: { proto: "DT_DOUBLE", number: 2, said: "double" },
};

/** The dtype that a number of TensorFlow's DataType stands for, if there is one. */
export function dtypeOfNumber(number: number): DType | undefined {
  return (Object.keys(dtypes) as DType[]).find((dtype) => dtypeNames[dtype].number === number);
}
