// Penalties on weights that are added to the loss.

import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { Registry, type Serialized } from "../util/identifiers.js";
import { type Complete, complete, type Defaults } from "../util/options.js";

/**
 * A regularizer: its name ("l2"), its serialized form, or the object.
 * @public
 */
export type RegularizerIdentifier = string | Serialized | Regularizer;

/**
 * Computes a scalar penalty from a weight.
 * @public
 */
export abstract class Regularizer {
  abstract apply(weight: Tensor): Tensor;
  /** What the constructor takes to make this regularizer again. */
  abstract getConfig(): Record<string, unknown>;
}

/**
 * Options of `L1L2`.
 * @public
 */
export interface L1L2Config {
  readonly l1?: number;
  readonly l2?: number;
}
/**
 * Options of `L1`.
 * @public
 */
export interface L1Config {
  readonly l1?: number;
}
/**
 * Options of `L2`.
 * @public
 */
export interface L2Config {
  readonly l2?: number;
}
const l1l2Defaults: Defaults<L1L2Config> = { l1: 0, l2: 0 };
const l1Defaults: Defaults<L1Config> = { l1: 0.01 };
const l2Defaults: Defaults<L2Config> = { l2: 0.01 };

/**
 * l1 Σ|w| + l2 Σw²
 * @public
 */
export class L1L2 extends Regularizer {
  static readonly className: string = "L1L2";
  private readonly config: Complete<L1L2Config>;
  constructor(config: L1L2Config = {}) {
    super();
    this.config = complete("L1L2", config, l1l2Defaults);
  }
  override apply(weight: Tensor): Tensor {
    const { l1, l2 } = this.config;
    const first = l1 === 0 ? null : tf.mul(tf.sum(tf.abs(weight)), l1);
    const second = l2 === 0 ? null : tf.mul(tf.sum(tf.square(weight)), l2);
    if (first && second) return tf.add(first, second);
    return first ?? second ?? tf.tensor(0, undefined, weight.dtype);
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}

/**
 * l1 Σ|w|
 * @public
 */
export class L1 extends L1L2 {
  static override readonly className: string = "L1";
  private readonly own: Complete<L1Config>;
  constructor(config: L1Config = {}) {
    const own = complete("L1", config, l1Defaults);
    super(own);
    this.own = own;
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.own };
  }
}

/**
 * l2 Σw²
 * @public
 */
export class L2 extends L1L2 {
  static override readonly className: string = "L2";
  private readonly own: Complete<L2Config>;
  constructor(config: L2Config = {}) {
    const own = complete("L2", config, l2Defaults);
    super(own);
    this.own = own;
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.own };
  }
}

const registry: Registry<Regularizer> = new Registry("regularizer");
registry.register("L1", (config: L1Config) => new L1(config));
registry.register("L2", (config: L2Config) => new L2(config));
registry.register("L1L2", (config: L1L2Config) => new L1L2(config));

/**
 * The regularizer that an identifier stands for; null for none. Throws E_ARGUMENT for an unknown name.
 * @public
 */
export function getRegularizer(identifier: RegularizerIdentifier | null): Regularizer | null {
  return identifier === null ? null : registry.get(identifier);
}

/**
 * Makes a {@link L1}.
 * @example tf.regularizers.l1({ l1: 0.01 })
 * @public
 */
export const l1 = (config?: L1Config): L1 => new L1(config);
/**
 * Makes a {@link L2}.
 * @example tf.regularizers.l2({ l2: 0.01 })
 * @public
 */
export const l2 = (config?: L2Config): L2 => new L2(config);
/**
 * Makes a {@link L1L2}.
 * @example tf.regularizers.l1l2({ l1: 0.01, l2: 0.01 })
 * @public
 */
export const l1l2 = (config?: L1L2Config): L1L2 => new L1L2(config);
