// The initial value of a variable that a function makes while it is traced: known before any call, if it depends on no argument.
import type { Node, Value } from "../ir/graph.js";
import { MillraceError } from "../types/errors.js";
import type { Tensor } from "../types/tensor.js";
import { engine } from "./engine.js";
import { TensorImpl, TracerTensor } from "./tensor.js";

type Leaf = TensorImpl & Tensor;

/**
 * Computes a traced value now.
 * @throws E_VARIABLE where it depends on an argument of the function
 */
export function valueNow(x: Tensor): Tensor {
  if (!(x instanceof TracerTensor)) return x;
  const { trace, value } = x;
  const made = new Map<Node, readonly Tensor[]>();
  const read = (v: Value): Tensor => {
    if (!v.node) return inputNow(v);
    const { op, inputs, attrs, regions } = v.node;
    const outs = made.get(v.node) ?? engine.apply(op, inputs.map(read) as Leaf[], attrs, regions);
    made.set(v.node, outs);
    return outs[v.index]!;
  };
  const inputNow = (v: Value): Tensor => {
    const input = trace.inputs[trace.params.indexOf(v)];
    // boundary: what is captured, and every variable, is a tensor
    if (input?.kind === "capture" && input.outer instanceof TensorImpl) return valueNow(input.outer as Leaf);
    if (input?.kind === "variable" && input.variable instanceof TensorImpl) return input.variable as Leaf;
    throw new MillraceError(
      "E_VARIABLE",
      "tf.variable: the initial value depends on an argument of the function that is being traced; assign that to it",
    );
  };
  return read(value);
}
