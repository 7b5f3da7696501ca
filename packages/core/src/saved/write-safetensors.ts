import { countOf } from "../ir/host.js";
import { type DType, dtypes } from "../types/dtype.js";
import { platform } from "../types/platform.js";
import { lengthBytes, safetensorsNames } from "./safetensors.js";

/** A tensor to be written: dense, row-major, little-endian. */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Where the data begins is a multiple of this, so that a mapped file can be used as it is. */
const alignment = 64;

/** Writes a safetensors file. Tensors of wide elements come first, so that each lies where its dtype wants it. */
export function writeSafetensors(tensors: ReadonlyMap<string, TensorData>): Uint8Array {
  const order = [...tensors].sort(
    ([a, x], [b, y]) => dtypes[y.dtype].bytes - dtypes[x.dtype].bytes || (a < b ? -1 : a > b ? 1 : 0),
  );
  const header: Record<string, unknown> = Object.create(null);
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of order) {
    if (bytes.length !== countOf(shape) * dtypes[dtype].bytes)
      throw new TypeError(`${name}: ${bytes.length} bytes are no ${dtype}[${shape.join()}]`);
    header[name] = { dtype: safetensorsNames[dtype], shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = new platform.TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((lengthBytes + text.length) / alignment) * alignment;
  const file = new Uint8Array(start + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - lengthBytes), true);
  file.fill(0x20, lengthBytes, start);
  file.set(text, lengthBytes);
  let at = start;
  for (const [, { bytes }] of order) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
