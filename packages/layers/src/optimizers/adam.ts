import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { type Complete, checkRange } from "../util/options.js";
import { Optimizer, type OptimizerConfig, optimizerOptions } from "./optimizer.js";
import { type OptimizerRule, slotLike } from "./rule.js";

/**
 * Options of `Adam` and `AdamW`.
 * @public
 */
export interface AdamConfig extends OptimizerConfig {
  /** How much of the gradient's moving mean stays in a step. */
  readonly beta1?: number;
  /** How much of the moving mean of its square stays. */
  readonly beta2?: number;
  /** Added to the root of that mean. */
  readonly epsilon?: number;
  /** Whether the greatest mean so far takes the place of the present one. */
  readonly amsgrad?: boolean;
}

type AdamSlot = "momentum" | "velocity" | "velocity_hat";

/**
 * Kingma and Ba (2014), in the form of the paper's section 2, last lines: both corrections are in the step's size.
 * @public
 */
export function adamRule(beta1: number, beta2: number, epsilon: number, amsgrad: boolean): OptimizerRule {
  return {
    slots: (param) => {
      const both = { momentum: slotLike(param), velocity: slotLike(param) };
      return amsgrad ? { ...both, velocity_hat: slotLike(param, 0, 1) } : both;
    },
    update(param, grad, slots, { learningRate, count }) {
      const root = tf.sqrt(tf.sub(1, tf.pow(beta2, count)));
      const alpha = tf.div(tf.mul(learningRate, root), tf.sub(1, tf.pow(beta1, count)));
      const toward = (mean: Tensor, now: Tensor, beta: number): Tensor =>
        tf.add(mean, tf.mul(tf.sub(now, mean), 1 - beta));
      const momentum = toward(slots.momentum!, grad, beta1);
      const velocity = toward(slots.velocity!, tf.square(grad), beta2);
      const scale: Tensor = amsgrad ? tf.maximum(slots.velocity_hat!, velocity) : velocity;
      const change = tf.div(tf.mul(momentum, alpha), tf.add(tf.sqrt(scale), epsilon));
      const next: Partial<Record<AdamSlot, Tensor>> = {
        momentum,
        velocity,
        ...(amsgrad ? { velocity_hat: scale } : {}),
      };
      return { param: tf.sub(param, change), slots: next as Record<string, Tensor> };
    },
  };
}

const defaults = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false };

function checked(who: string, config: Complete<AdamConfig>): Complete<AdamConfig> {
  checkRange(who, "beta1", config.beta1, 0, 1);
  checkRange(who, "beta2", config.beta2, 0, 1);
  return config;
}

/**
 * Steps of about the learning rate in every direction, from moving means of the gradient and its square.
 * @example tf.optimizers.adam({ learningRate: 0.001 })
 * @public
 */
export class Adam extends Optimizer {
  static override readonly className: string = "Adam";
  constructor(config: AdamConfig = {}) {
    const all = checked("Adam", optimizerOptions<AdamConfig>("Adam", config, defaults));
    super(all, adamRule(all.beta1, all.beta2, all.epsilon, all.amsgrad));
  }
}

/**
 * Adam with weight decay apart from the gradient: Loshchilov and Hutter (2017).
 * @example tf.optimizers.adamW({ learningRate: 0.001, weightDecay: 0.01 })
 * @public
 */
export class AdamW extends Optimizer {
  static override readonly className: string = "AdamW";
  constructor(config: AdamConfig = {}) {
    const all = checked("AdamW", optimizerOptions<AdamConfig>("AdamW", config, { ...defaults, weightDecay: 0.004 }));
    super(all, adamRule(all.beta1, all.beta2, all.epsilon, all.amsgrad));
  }
}
