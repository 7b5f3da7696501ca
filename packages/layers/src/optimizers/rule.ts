// An optimizer as a pure function: what it remembers of a parameter, and one step.
import type { Aval, Tensor } from "@millrace/autodiff";

/**
 * What a slot starts as.
 * @public
 */
export interface SlotSpec {
  readonly shape: readonly number[];
  readonly dtype: Aval["dtype"];
  /** In every element. */
  readonly value: number;
  /** Files hold the slots of group 0 of all parameters, then those of group 1; 0 unless said. */
  readonly group?: number;
}

/**
 * What all parameters share in a step.
 * @public
 */
export interface OptimizerStep {
  /** A scalar in the parameter's dtype. */
  readonly learningRate: Tensor;
  /** A scalar in the parameter's dtype: 1 in the first step. */
  readonly count: Tensor;
}

/**
 * A parameter after a step, and what is remembered of it.
 * @public
 */
export interface Updated<Slot extends string> {
  readonly param: Tensor;
  readonly slots: Readonly<Record<Slot, Tensor>>;
}

/**
 * One optimizer's arithmetic. It changes nothing: what it gives takes the place of what it was given.
 * @public
 */
export interface OptimizerRule<Slot extends string = string> {
  /** Whether elements whose gradient is zero stay as they are; false unless said. */
  readonly staysWithoutGradient?: boolean;
  /** What is remembered of a parameter, by name, in the order of files. */
  slots(param: Aval): Readonly<Record<Slot, SlotSpec>>;
  update(param: Tensor, grad: Tensor, slots: Readonly<Record<Slot, Tensor>>, step: OptimizerStep): Updated<Slot>;
}

/** A slot of the parameter's shape, full of `value`. */
export function slotLike(param: Aval, value = 0, group = 0): SlotSpec {
  // boundary: a variable's sizes are numbers
  return { shape: param.shape as readonly number[], dtype: param.dtype, value, group };
}
