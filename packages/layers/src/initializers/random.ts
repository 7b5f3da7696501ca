// Random initializers whose scale the user gives. Without a seed they draw what tf.setRandomSeed determines.

import type { FloatDType, Shape, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { type Complete, complete, type Defaults } from "../util/options.js";
import { Initializer } from "./initializer.js";

/**
 * Options of `RandomNormal` and `TruncatedNormal`.
 * @public
 */
export interface RandomNormalConfig {
  readonly mean?: number;
  readonly stddev?: number;
  readonly seed?: number | null;
}
const normalDefaults: Defaults<RandomNormalConfig> = { mean: 0, stddev: 0.05, seed: null };

/**
 * Normally distributed values.
 * @public
 */
export class RandomNormal extends Initializer {
  static readonly className: string = "RandomNormal";
  private readonly config: Complete<RandomNormalConfig>;
  constructor(config: RandomNormalConfig = {}) {
    const all = complete("RandomNormal", config, normalDefaults);
    super();
    this.config = all;
  }
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    const { mean, stddev, seed } = this.config;
    return tf.randomNormal(shape, mean, stddev, dtype, seed ?? undefined);
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}

/**
 * Normally distributed values within two deviations of the mean.
 * @public
 */
export class TruncatedNormal extends Initializer {
  static readonly className: string = "TruncatedNormal";
  private readonly config: Complete<RandomNormalConfig>;
  constructor(config: RandomNormalConfig = {}) {
    const all = complete("TruncatedNormal", config, normalDefaults);
    super();
    this.config = all;
  }
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    const { mean, stddev, seed } = this.config;
    return tf.truncatedNormal(shape, mean, stddev, dtype, seed ?? undefined);
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}

/**
 * Options of `RandomUniform`.
 * @public
 */
export interface RandomUniformConfig {
  readonly minval?: number;
  readonly maxval?: number;
  readonly seed?: number | null;
}
const uniformDefaults: Defaults<RandomUniformConfig> = { minval: -0.05, maxval: 0.05, seed: null };

/**
 * Values evenly spread over [minval, maxval).
 * @public
 */
export class RandomUniform extends Initializer {
  static readonly className: string = "RandomUniform";
  private readonly config: Complete<RandomUniformConfig>;
  constructor(config: RandomUniformConfig = {}) {
    const all = complete("RandomUniform", config, uniformDefaults);
    super();
    this.config = all;
  }
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    const { minval, maxval, seed } = this.config;
    return tf.randomUniform(shape, minval, maxval, dtype, seed ?? undefined);
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}
