import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { checkRange } from "../util/options.js";
import { Optimizer, type OptimizerConfig, optimizerOptions } from "./optimizer.js";
import { type OptimizerRule, type SlotSpec, slotLike } from "./rule.js";

/**
 * Options of `RMSprop`.
 * @public
 */
export interface RMSpropConfig extends OptimizerConfig {
  /** How much of the moving mean of the squared gradient stays in a step. */
  readonly rho?: number;
  /** How much of the last step stays in the next. */
  readonly momentum?: number;
  /** Added to that mean. */
  readonly epsilon?: number;
  /** Whether the mean is of the gradient's distance from its own mean. */
  readonly centered?: boolean;
}

/**
 * w - learningRate g / √(mean of g² + epsilon): Hinton's lecture 6e (2012).
 * @public
 */
export function rmspropRule(rho: number, momentum: number, epsilon: number, centered: boolean): OptimizerRule {
  return {
    slots(param) {
      const slots: Record<string, SlotSpec> = { velocity: slotLike(param) };
      if (momentum > 0) slots.momentum = slotLike(param, 0, 1);
      if (centered) slots.average_gradient = slotLike(param, 0, 2);
      return slots;
    },
    update(param, grad, slots, { learningRate }) {
      const mixed = (mean: Tensor, now: Tensor): Tensor => tf.add(tf.mul(mean, rho), tf.mul(now, 1 - rho));
      const next: Record<string, Tensor> = { velocity: mixed(slots.velocity!, tf.square(grad)) };
      let variance: Tensor = next.velocity!;
      if (centered) {
        next.average_gradient = mixed(slots.average_gradient!, grad);
        variance = tf.sub(variance, tf.square(next.average_gradient));
      }
      let change: Tensor = tf.mul(tf.mul(grad, learningRate), tf.rsqrt(tf.add(variance, epsilon)));
      if (momentum > 0) {
        change = tf.add(tf.mul(slots.momentum!, momentum), change);
        next.momentum = change;
      }
      return { param: tf.sub(param, change), slots: next };
    },
  };
}

/**
 * Steps divided by the root of a moving mean of the squared gradient.
 * @example tf.optimizers.rmsprop({ learningRate: 0.001 })
 * @public
 */
export class RMSprop extends Optimizer {
  static override readonly className: string = "RMSprop";
  constructor(config: RMSpropConfig = {}) {
    const own = { learningRate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false };
    const all = optimizerOptions<RMSpropConfig>("RMSprop", config, own);
    checkRange("RMSprop", "rho", all.rho, 0, 1);
    checkRange("RMSprop", "momentum", all.momentum, 0, 1);
    super(all, rmspropRule(all.rho, all.momentum, all.epsilon, all.centered));
  }
}
