import type { DType } from "../types/dtype.js";
import type { Tensor } from "../types/tensor.js";
import { engine } from "./engine.js";
import { inFile, origins } from "./origins.js";
import type { TensorImpl } from "./tensor.js";

/**
 * A tensor on the default device whose bytes lie in a file from `offset` on, and are read when they are used: see
 * `Backend.map`, whose errors it throws. Undefined where the device's backend maps no files.
 */
export function mapTensor(
  path: string,
  offset: number,
  { dtype, shape }: { readonly dtype: DType; readonly shape: readonly number[] },
): (TensorImpl & Tensor) | undefined {
  const device = engine.defaultDevice();
  const type = device.types.of({ dtype, shape });
  const buf = device.backend.map?.(path, offset, type, device.index);
  if (buf === undefined) return undefined;
  origins.mark(type, buf, inFile);
  return engine.adopt(type, buf);
}
