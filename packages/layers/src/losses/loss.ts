import type { FloatDType, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { maskOf } from "../topology/masks.js";
import { type Complete, complete, type Defaults } from "../util/options.js";
import { alignWeights, countElements } from "./shapes.js";

/** How the losses of samples become one: their sum over their number, their sum, or not at all. */
export type Reduction = "sumOverBatchSize" | "sum" | "none";

/**
 * What every loss takes.
 * @public
 */
export interface LossConfig {
  readonly reduction?: Reduction;
  readonly name?: string | null;
}

/** The defaults of what every loss takes. */
export const lossDefaults: Defaults<LossConfig> = { reduction: "sumOverBatchSize", name: null };

/**
 * Classes whose `call` does nothing but compute with tensors: in eager code too their loss is one program, and so is its
 * gradient. One of the user's own may do anything.
 */
const computes = new WeakSet<object>();
export function computesOnly(...classes: readonly object[]): void {
  for (const one of classes) computes.add(one);
}

/**
 * Compares labels and predictions.
 * @public
 */
export abstract class Loss {
  static readonly className: string;
  readonly name: string;
  readonly reduction: Reduction;
  private readonly config: LossConfig;
  private program: Loss["reduced"] | null = null;

  constructor(name: string, config: LossConfig) {
    this.name = config.name ?? name;
    this.reduction = config.reduction ?? "sumOverBatchSize";
    this.config = config;
  }

  /** The loss of each sample. */
  abstract call(yTrue: Tensor, yPred: Tensor): Tensor;

  /**
   * The reduced loss.
   * @param sampleWeight how much each sample counts; its loss is multiplied by it
   */
  apply(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | null = null): Tensor {
    const mask = maskOf(yPred);
    if (!computes.has(this.constructor)) return this.reduced(yTrue, yPred, sampleWeight, mask);
    this.program ??= tf.fn((...args: Parameters<Loss["reduced"]>) => this.reduced(...args), { name: this.name });
    return this.program(yTrue, yPred, sampleWeight, mask);
  }

  private reduced(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | null, mask: Tensor | null): Tensor {
    const values = this.call(yTrue, yPred);
    return reduceLoss(values, maskedWeight(mask, values, sampleWeight, this.reduction), this.reduction);
  }

  /** What the constructor takes to make this loss again. */
  getConfig(): Record<string, unknown> {
    return { ...this.config, name: this.name };
  }
}

/** A mask as a weight, times that of the samples. Where losses are averaged it is over the steps that count. */
function maskedWeight(
  mask: Tensor | null,
  values: Tensor,
  sampleWeight: Tensor | null,
  reduction: Reduction,
): Tensor | null {
  if (!mask) return sampleWeight;
  let weight: Tensor = tf.cast(mask, values.dtype as FloatDType);
  if (reduction === "sumOverBatchSize") weight = tf.mul(weight, tf.divNoNan(countElements(weight), tf.sum(weight)));
  return sampleWeight ? tf.mul(weight, alignWeights(sampleWeight, weight)) : weight;
}

/** The losses of samples, weighted and reduced. */
export function reduceLoss(values: Tensor, sampleWeight: Tensor | null, reduction: Reduction): Tensor {
  const weighted: Tensor = sampleWeight ? tf.mul(values, alignWeights(sampleWeight, values)) : values;
  if (reduction === "none") return weighted;
  if (reduction === "sum") return tf.sum(weighted);
  // Losses of an empty batch are 0, not 0 / 0.
  const count = countElements(weighted);
  return typeof count === "number"
    ? tf.div(tf.sum(weighted), Math.max(count, 1))
    : tf.divNoNan(tf.sum(weighted), count);
}

/** The options of a loss with those that every loss takes. */
export function lossOptions<C extends LossConfig>(
  className: string,
  config: C,
  own: Defaults<Omit<C, keyof LossConfig>>,
): Complete<C> {
  // boundary: the defaults of a class and those of every loss are all of its keys
  return complete(className, config, { ...lossDefaults, ...own } as Defaults<C>);
}
