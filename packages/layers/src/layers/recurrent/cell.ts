import { MillraceError, type Tensor, zeros } from "@millrace/autodiff";
import { type CallOptions, isList, Layer, type Tensors } from "../../topology/layer.js";
import type { AnyRule } from "../../types.js";
import { type BatchShape, type BatchShapes, isShapeList } from "../../util/shapes.js";

/**
 * What a step of a recurrence gives.
 * @public
 */
export interface CellStep {
  readonly output: Tensor;
  /** The states that the next step starts from. */
  readonly states: readonly Tensor[];
}

/**
 * One step of a recurrence: from what comes in [batch, features] and states [batch, size] to an output and the next states.
 * `tf.layers.rnn` takes a cell through a sequence. As a layer it takes [x, ...states] and gives [output, ...states].
 * @public
 */
export abstract class RNNCell extends Layer<AnyRule> {
  /** The sizes of the states. */
  abstract readonly stateSizes: readonly number[];
  /** The size of the output. */
  abstract readonly outputSize: number;

  abstract step(x: Tensor, states: readonly Tensor[], options: CallOptions): CellStep;

  /** The states to start from where none are given: zeros. */
  initialStates(batch: number): readonly Tensor[] {
    return this.stateSizes.map((size) => zeros([batch, size], this.dtype));
  }

  override call(inputs: Tensors, options: CallOptions): Tensors {
    const [x, ...states] = isList(inputs) ? inputs : [inputs];
    if (!x || states.length !== this.stateSizes.length) {
      const what = `${this.className}: takes [x, ...states] with ${this.stateSizes.length} states, got ${states.length}`;
      throw new MillraceError("E_ARGUMENT", what);
    }
    const made = this.step(x, states, options);
    return [made.output, ...made.states];
  }

  override computeOutputShape(inputShape: BatchShapes): readonly BatchShape[] {
    const [batch = null] = firstShape(inputShape);
    return [this.outputSize, ...this.stateSizes].map((size) => [batch, size]);
  }
}

/** The shape of the first tensor: states come after it. */
export function firstShape(shapes: BatchShapes): BatchShape {
  return isShapeList(shapes) ? shapes[0]! : shapes;
}
