// tf.optimizers: the classes by Keras's names, a function for each, and the pure rules.
import { Registry, type Serialized } from "../util/identifiers.js";
import { Adam, type AdamConfig, AdamW } from "./adam.js";
import type { Optimizer } from "./optimizer.js";
import { RMSprop, type RMSpropConfig } from "./rmsprop.js";
import { SGD, type SGDConfig } from "./sgd.js";

export { adamRule } from "./adam.js";
export { type GradientList, Optimizer, type OptimizerConfig } from "./optimizer.js";
export { rmspropRule } from "./rmsprop.js";
export type { OptimizerRule, OptimizerStep, SlotSpec, Updated } from "./rule.js";
export { sgdRule } from "./sgd.js";
export { Adam, type AdamConfig, AdamW, RMSprop, type RMSpropConfig, SGD, type SGDConfig };

/**
 * An optimizer: its name ("adam"), its serialized form, or the object.
 * @public
 */
export type OptimizerIdentifier = string | Serialized | Optimizer;

const registry: Registry<Optimizer> = new Registry("optimizer");
registry.register("SGD", (config: SGDConfig) => new SGD(config));
registry.register("Adam", (config: AdamConfig) => new Adam(config));
registry.register("AdamW", (config: AdamConfig) => new AdamW(config));
registry.register("RMSprop", (config: RMSpropConfig) => new RMSprop(config));

/**
 * The optimizer that an identifier stands for. Throws E_ARGUMENT for an unknown name.
 * @public
 */
export function get(identifier: OptimizerIdentifier): Optimizer {
  return registry.get(identifier);
}

/**
 * Makes a {@link SGD}.
 * @example tf.optimizers.sgd({ learningRate: 0.1, momentum: 0.9 })
 * @public
 */
export const sgd = (config?: SGDConfig): SGD => new SGD(config);
/**
 * Makes an {@link Adam}.
 * @example tf.optimizers.adam({ learningRate: 0.001 })
 * @public
 */
export const adam = (config?: AdamConfig): Adam => new Adam(config);
/**
 * Makes an {@link AdamW}.
 * @example tf.optimizers.adamW({ weightDecay: 0.01 })
 * @public
 */
export const adamW = (config?: AdamConfig): AdamW => new AdamW(config);
/**
 * Makes a {@link RMSprop}.
 * @example tf.optimizers.rmsprop({ rho: 0.95 })
 * @public
 */
export const rmsprop = (config?: RMSpropConfig): RMSprop => new RMSprop(config);
