import * as tf from "@millrace/autodiff";
import { checkRange } from "../util/options.js";
import { Optimizer, type OptimizerConfig, optimizerOptions } from "./optimizer.js";
import { type OptimizerRule, slotLike } from "./rule.js";

/**
 * Options of `SGD`.
 * @public
 */
export interface SGDConfig extends OptimizerConfig {
  /** How much of the last step stays in the next. */
  readonly momentum?: number;
  /** Whether the gradient is taken as if after the momentum's part of the step. */
  readonly nesterov?: boolean;
}

/**
 * w - learningRate g; with momentum v = momentum v - learningRate g and w + v, or w + momentum v - learningRate g.
 * @public
 */
export function sgdRule(momentum: number, nesterov: boolean): OptimizerRule<"momentum"> | OptimizerRule<never> {
  if (momentum === 0) {
    return {
      staysWithoutGradient: true,
      slots: () => ({}),
      update: (param, grad, _slots, { learningRate }) => ({
        param: tf.sub(param, tf.mul(grad, learningRate)),
        slots: {},
      }),
    } satisfies OptimizerRule<never>;
  }
  return {
    slots: (param) => ({ momentum: slotLike(param) }),
    update(param, grad, slots, { learningRate }) {
      const step = tf.mul(grad, learningRate);
      const velocity = tf.sub(tf.mul(slots.momentum, momentum), step);
      const change = nesterov ? tf.sub(tf.mul(velocity, momentum), step) : velocity;
      return { param: tf.add(param, change), slots: { momentum: velocity } };
    },
  } satisfies OptimizerRule<"momentum">;
}

/**
 * Gradient descent, with momentum if wanted.
 * @example tf.optimizers.sgd({ learningRate: 0.1, momentum: 0.9 })
 * @public
 */
export class SGD extends Optimizer {
  static override readonly className: string = "SGD";
  constructor(config: SGDConfig = {}) {
    const all = optimizerOptions<SGDConfig>("SGD", config, { learningRate: 0.01, momentum: 0, nesterov: false });
    checkRange("SGD", "momentum", all.momentum, 0, 1);
    super(all, sgdRule(all.momentum, all.nesterov) as OptimizerRule);
  }
}
