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

/** An optimizer: its name ("adam"), its serialized form, or the object. */
export type OptimizerIdentifier = string | Serialized | Optimizer;

const registry: Registry<Optimizer> = new Registry("optimizer");
registry.register("SGD", (config: SGDConfig) => new SGD(config));
registry.register("Adam", (config: AdamConfig) => new Adam(config));
registry.register("AdamW", (config: AdamConfig) => new AdamW(config));
registry.register("RMSprop", (config: RMSpropConfig) => new RMSprop(config));

/** The optimizer that an identifier stands for. Throws E_ARGUMENT for an unknown name. */
export function get(identifier: OptimizerIdentifier): Optimizer {
  return registry.get(identifier);
}

export const sgd = (config?: SGDConfig): SGD => new SGD(config);
export const adam = (config?: AdamConfig): Adam => new Adam(config);
export const adamW = (config?: AdamConfig): AdamW => new AdamW(config);
export const rmsprop = (config?: RMSpropConfig): RMSprop => new RMSprop(config);
