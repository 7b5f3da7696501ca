import { remember } from "../ir/remember.js";
import type { TensorImpl } from "./tensor.js";
import type { TensorType } from "./tensor-type.js";

/** Numbers of one dtype that are kept as tensors. */
const maxScalars = 256;

/** Numbers as operands: those of a program are few, so their tensors are kept. They belong to the engine. */
export class Scalars {
  private readonly known = new Map<TensorType, Map<number, TensorImpl>>();

  of(type: TensorType, value: number, make: () => TensorImpl): TensorImpl {
    const values = remember(this.known, type, () => new Map<number, TensorImpl>());
    if (values.size >= maxScalars) values.clear();
    return remember(values, value, make);
  }

  /** How many numbers of a type are kept. */
  count(type: TensorType): number {
    return this.known.get(type)?.size ?? 0;
  }

  /** What is kept, so that tf.memory() can leave it out. */
  owned(): { readonly tensors: number; readonly bytes: number } {
    let tensors = 0;
    let bytes = 0;
    for (const [type, values] of this.known) {
      tensors += values.size;
      bytes += values.size * type.bytes;
    }
    return { tensors, bytes };
  }
}
