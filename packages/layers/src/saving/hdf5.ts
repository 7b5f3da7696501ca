// What the reader and the writer of HDF5 share. Of the format (HDF5 File Format Specification, version 3.0) both know what
// files of weights are made of: groups, and datasets of numbers that lie in one piece. The one library there is, libhdf5 as
// WebAssembly, adds 1 MB of gzipped code to every bundle that is not split, and reads hostile bytes in C.

/** Numbers of a dataset. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array;

/** The first bytes of a file. */
export const signature: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Messages of object headers. */
export const messages = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fillValue: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  groupInfo: 0x0a,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
} as const;

/** Classes of datatypes. */
export const typeClasses = { whole: 0, float: 1, text: 3 } as const;

/** Where the parts of a float lie in its bits. */
export interface FloatLayout {
  readonly bits: number;
  readonly exponentAt: number;
  readonly exponentBits: number;
  readonly bias: number;
}
export const floatLayouts: Readonly<Record<"float32" | "float64", FloatLayout>> = {
  float32: { bits: 32, exponentAt: 23, exponentBits: 8, bias: 127 },
  float64: { bits: 64, exponentAt: 52, exponentBits: 11, bias: 1023 },
};

/** An address where nothing is. */
export const undefinedAddress = 0xffff_ffff_ffff_ffffn;

/** Whether bytes begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return bytes.length > signature.length && signature.every((byte, i) => bytes[i] === byte);
}
