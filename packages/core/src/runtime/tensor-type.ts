import { type Aval, formatAval } from "../ir/aval.js";
import type { Dim } from "../ir/dim.js";
import { remember } from "../ir/remember.js";
import { type DType, dtypes } from "../types/dtype.js";
import type { Device } from "./device.js";

/**
 * dtype, sizes and device of a tensor, as one object: equal types are the same object, so that dispatch compares
 * by identity. A tracer has a type of its own that no cache knows.
 */
export class TensorType implements Aval {
  readonly id: number;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly device: Device;
  /** Elements; NaN where a size is not known. */
  readonly size: number;
  readonly bytes: number;

  constructor(id: number, aval: Aval, device: Device) {
    this.id = id;
    this.dtype = aval.dtype;
    this.shape = Object.freeze([...aval.shape]);
    this.device = device;
    this.size = this.shape.reduce<number>((n, d) => n * (typeof d === "number" ? d : Number.NaN), 1);
    this.bytes = this.size * dtypes[this.dtype].bytes;
  }
}

/** The types of one device, each once. */
export class TypeTable {
  private readonly types = new Map<string, TensorType>();
  private readonly scalars = new Map<DType, TensorType>();
  private readonly device: Device;
  private next = 1;

  constructor(device: Device) {
    this.device = device;
  }

  /** The type of rank 0; asked for in eager calls with a number. */
  scalar(dtype: DType): TensorType {
    return remember(this.scalars, dtype, () => this.of({ dtype, shape: [] }));
  }

  of(aval: Aval): TensorType {
    return remember(this.types, formatAval(aval), () => new TensorType(this.next++, aval, this.device));
  }
}
