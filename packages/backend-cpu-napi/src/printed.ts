import { type DType, dtypes } from "@millrace/core/backend";
import type { Printed } from "./addon.js";

/** How many elements are shown from each end. */
const ends = 8;

const arrays = { Uint8Array, Int32Array, BigInt64Array, Float32Array, Float64Array };

/** A printed value on one line: message, dtype, shape, and the elements or their ends. */
export function formatPrinted({ message, dtype, shape, bytes }: Printed): string {
  // boundary: the addon's dtypes are core's
  const Elements = arrays[dtypes[dtype as DType].arrayType];
  // boundary: the addon made these bytes, in an ArrayBuffer of their own
  const values = new Elements(bytes.buffer as ArrayBuffer);
  const shown = Array.from(values.length > 2 * ends ? values.subarray(0, ends) : values, String);
  if (values.length > 2 * ends) shown.push("…", ...Array.from(values.subarray(-ends), String));
  return `${message} ${dtype}[${shape.join()}] ${shown.join(" ")}`;
}
