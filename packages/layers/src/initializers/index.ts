// tf.initializers: the classes by Keras's names, and a function for each by tfjs's.
import { Constant, type ConstantConfig, Identity, type IdentityConfig, Ones, Zeros } from "./initializer.js";
import { Orthogonal, type OrthogonalConfig } from "./orthogonal.js";
import {
  RandomNormal,
  type RandomNormalConfig,
  RandomUniform,
  type RandomUniformConfig,
  TruncatedNormal,
} from "./random.js";
import {
  GlorotNormal,
  GlorotUniform,
  HeNormal,
  HeUniform,
  LecunNormal,
  LecunUniform,
  type SeedConfig,
  VarianceScaling,
  type VarianceScalingConfig,
} from "./variance-scaling.js";

export { Initializer, type InitializerIdentifier } from "./initializer.js";
export { getInitializer as get } from "./registry.js";
export {
  Constant,
  type ConstantConfig,
  GlorotNormal,
  GlorotUniform,
  HeNormal,
  HeUniform,
  Identity,
  type IdentityConfig,
  LecunNormal,
  LecunUniform,
  Ones,
  Orthogonal,
  type OrthogonalConfig,
  RandomNormal,
  type RandomNormalConfig,
  RandomUniform,
  type RandomUniformConfig,
  type SeedConfig,
  TruncatedNormal,
  VarianceScaling,
  type VarianceScalingConfig,
  Zeros,
};

/**
 * Makes a {@link Zeros}.
 * @example tf.initializers.zeros()
 * @public
 */
export const zeros = (): Zeros => new Zeros();
/**
 * Makes an {@link Ones}.
 * @example tf.initializers.ones()
 * @public
 */
export const ones = (): Ones => new Ones();
/**
 * Makes a {@link Constant}.
 * @example tf.initializers.constant({ value: 0.1 })
 * @public
 */
export const constant = (config?: ConstantConfig): Constant => new Constant(config);
/**
 * Makes an {@link Identity}.
 * @example tf.initializers.identity()
 * @public
 */
export const identity = (config?: IdentityConfig): Identity => new Identity(config);
/**
 * Makes a {@link RandomNormal}.
 * @example tf.initializers.randomNormal({ stddev: 0.01 })
 * @public
 */
export const randomNormal = (config?: RandomNormalConfig): RandomNormal => new RandomNormal(config);
/**
 * Makes a {@link RandomUniform}.
 * @example tf.initializers.randomUniform({ minval: -1, maxval: 1 })
 * @public
 */
export const randomUniform = (config?: RandomUniformConfig): RandomUniform => new RandomUniform(config);
/**
 * Makes a {@link TruncatedNormal}.
 * @example tf.initializers.truncatedNormal({ stddev: 0.01 })
 * @public
 */
export const truncatedNormal = (config?: RandomNormalConfig): TruncatedNormal => new TruncatedNormal(config);
/**
 * Makes a {@link VarianceScaling}.
 * @example tf.initializers.varianceScaling({ scale: 2 })
 * @public
 */
export const varianceScaling = (config?: VarianceScalingConfig): VarianceScaling => new VarianceScaling(config);
/**
 * Makes a {@link GlorotUniform}.
 * @example tf.initializers.glorotUniform({ seed: 1 })
 * @public
 */
export const glorotUniform = (config?: SeedConfig): GlorotUniform => new GlorotUniform(config);
/**
 * Makes a {@link GlorotNormal}.
 * @example tf.initializers.glorotNormal()
 * @public
 */
export const glorotNormal = (config?: SeedConfig): GlorotNormal => new GlorotNormal(config);
/**
 * Makes a {@link HeUniform}.
 * @example tf.initializers.heUniform()
 * @public
 */
export const heUniform = (config?: SeedConfig): HeUniform => new HeUniform(config);
/**
 * Makes a {@link HeNormal}.
 * @example tf.initializers.heNormal({ seed: 1 })
 * @public
 */
export const heNormal = (config?: SeedConfig): HeNormal => new HeNormal(config);
/**
 * Makes a {@link LecunUniform}.
 * @example tf.initializers.lecunUniform()
 * @public
 */
export const lecunUniform = (config?: SeedConfig): LecunUniform => new LecunUniform(config);
/**
 * Makes a {@link LecunNormal}.
 * @example tf.initializers.lecunNormal()
 * @public
 */
export const lecunNormal = (config?: SeedConfig): LecunNormal => new LecunNormal(config);
/**
 * Makes an {@link Orthogonal}.
 * @example tf.initializers.orthogonal({ gain: 1 })
 * @public
 */
export const orthogonal = (config?: OrthogonalConfig): Orthogonal => new Orthogonal(config);
