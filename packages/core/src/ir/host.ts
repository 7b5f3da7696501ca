import { type DType, dtypes, type NarrowDType, type TypedArray } from "../types/dtype.js";

/** A tensor in JavaScript's own memory, dense and row-major: what reference kernels read and write. */
export interface HostArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** The number of elements of a known shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

const arrayTypes = { Uint8Array, Int8Array, Uint16Array, Int32Array, BigInt64Array, Float32Array, Float64Array };

/** A zeroed typed array for `count` elements of `dtype`. */
export function allocate(dtype: DType, count: number): TypedArray {
  return new arrayTypes[dtypes[dtype].arrayType](count);
}

/** The elements of `dtype` that `bytes` holds; the bytes are copied when they are not aligned for it. */
export function viewAs(dtype: DType, bytes: Uint8Array): TypedArray {
  const { arrayType, bytes: width } = dtypes[dtype];
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  // boundary: tensor memory is never shared with another thread, so its buffer is an ArrayBuffer.
  return new arrayTypes[arrayType](aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width);
}

/** The bytes of a typed array, not copied. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  // boundary: as in viewAs
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

export function hostArray(dtype: DType, shape: readonly number[]): HostArray {
  return { dtype, shape, data: allocate(dtype, countOf(shape)) };
}

/** Numbers as the bits of a narrow float: rounded to float32 and then to the nearest, ties to even. */
interface Narrow {
  encode(value: number): number;
  decode(bits: number): number;
}

const scratch = new DataView(new ArrayBuffer(4));
const narrows: Readonly<Record<NarrowDType, Narrow>> = {
  // The upper half of a float32.
  bfloat16: {
    encode(value) {
      scratch.setFloat32(0, value);
      const bits = scratch.getUint32(0);
      if (Number.isNaN(value)) return 0x7fc0;
      // A carry goes on into the exponent, up to that of infinity.
      return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    },
    decode(bits) {
      scratch.setUint32(0, bits << 16);
      return scratch.getFloat32(0);
    },
  },
};

/** How the elements of a dtype are stored, where they are not the numbers themselves. */
function narrowOf(dtype: DType): Narrow | undefined {
  // boundary: whether the table has it is what is asked
  return dtypes[dtype].computesIn && narrows[dtype as NarrowDType];
}

/** The number that an element of `dtype` stands for. */
export function toNumber(dtype: DType, element: number | bigint): number | bigint {
  return narrowOf(dtype)?.decode(Number(element)) ?? element;
}

/** The elements of an array as numbers: the array's own data, but of narrow floats. */
export function numbersOf({ dtype, data }: HostArray): TypedArray {
  const narrow = narrowOf(dtype);
  return narrow ? Float32Array.from(data as Uint16Array, narrow.decode) : data;
}

/** A JavaScript number, bigint or boolean as an element of `dtype`, wrapped or rounded as the dtype demands. */
export function toElement(dtype: DType, value: number | bigint | boolean): number | bigint {
  const info = dtypes[dtype];
  if (dtype === "bool") return Number(value) !== 0 ? 1 : 0;
  if (info.bytes === 8 && info.isInteger) {
    if (typeof value === "bigint") return BigInt.asIntN(64, value);
    return saturate(Number(value), dtype);
  }
  if (info.isFloat) return narrowOf(dtype)?.encode(Number(value)) ?? Number(value);
  if (typeof value === "bigint")
    return Number(info.isSigned ? BigInt.asIntN(info.bytes * 8, value) : BigInt.asUintN(info.bytes * 8, value));
  return saturate(Number(value), dtype);
}

/** The least and greatest value of an integer dtype. */
export function integerRange(dtype: DType): readonly [bigint, bigint] {
  const { bytes, isSigned } = dtypes[dtype];
  const bits = BigInt(bytes * 8);
  return isSigned ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
}

/** Truncates toward zero, saturates, and takes NaN for zero. */
function saturate(value: number, dtype: DType): number | bigint {
  const [low, high] = integerRange(dtype);
  const wide = dtypes[dtype].bytes === 8;
  if (Number.isNaN(value)) return wide ? 0n : 0;
  if (value <= Number(low)) return wide ? low : Number(low);
  if (value >= Number(high)) return wide ? high : Number(high);
  return wide ? BigInt(Math.trunc(value)) : Math.trunc(value);
}

/** Walks every index of `shape` in row-major order. The array that is passed is reused. */
export function forEachIndex(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const count = countOf(shape);
  for (let flat = 0; flat < count; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}
