import { type AnyOp, internalComposite, type NoAttrs } from "../ir/op.js";
import type { Tensor } from "../types/tensor.js";
import type { Device } from "./device.js";
import type { TensorImpl } from "./tensor.js";

/** What moving needs of the engine. */
interface MoverHost {
  /** Makes a tensor with x's elements. */
  copy(x: TensorImpl, device: Device): TensorImpl & Tensor;
  record(op: AnyOp, x: TensorImpl, made: TensorImpl): void;
}

/** Copies tensors to other devices. A tape sees an op, whose gradient is copied back. */
export class Mover {
  private readonly host: MoverHost;
  private readonly op: AnyOp;

  constructor(host: MoverHost) {
    this.host = host;
    this.op = internalComposite<NoAttrs>({
      name: "to",
      version: 1,
      arity: 1,
      infer: ([x]) => [x!],
      lower: (_b, [x]) => [x!],
      // boundary: only eager code moves, and its values are tensors
      vjp: (_b, [g], [x]) => [this.move(g as TensorImpl, (x as TensorImpl).type.device)],
      batch: "lower",
    });
  }

  move(x: TensorImpl, device: Device): TensorImpl & Tensor {
    const made = this.host.copy(x, device);
    this.host.record(this.op, x, made);
    return made;
  }
}
