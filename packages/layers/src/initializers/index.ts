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

export { getInitializer as get, Initializer, type InitializerIdentifier } from "./initializer.js";
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

export const zeros = (): Zeros => new Zeros();
export const ones = (): Ones => new Ones();
export const constant = (config?: ConstantConfig): Constant => new Constant(config);
export const identity = (config?: IdentityConfig): Identity => new Identity(config);
export const randomNormal = (config?: RandomNormalConfig): RandomNormal => new RandomNormal(config);
export const randomUniform = (config?: RandomUniformConfig): RandomUniform => new RandomUniform(config);
export const truncatedNormal = (config?: RandomNormalConfig): TruncatedNormal => new TruncatedNormal(config);
export const varianceScaling = (config?: VarianceScalingConfig): VarianceScaling => new VarianceScaling(config);
export const glorotUniform = (config?: SeedConfig): GlorotUniform => new GlorotUniform(config);
export const glorotNormal = (config?: SeedConfig): GlorotNormal => new GlorotNormal(config);
export const heUniform = (config?: SeedConfig): HeUniform => new HeUniform(config);
export const heNormal = (config?: SeedConfig): HeNormal => new HeNormal(config);
export const lecunUniform = (config?: SeedConfig): LecunUniform => new LecunUniform(config);
export const lecunNormal = (config?: SeedConfig): LecunNormal => new LecunNormal(config);
export const orthogonal = (config?: OrthogonalConfig): Orthogonal => new Orthogonal(config);
