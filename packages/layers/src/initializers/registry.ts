// Initializers by name: the classes of this folder under Keras's names and their common short ones.
import { Registry } from "../util/identifiers.js";
import {
  Constant,
  type ConstantConfig,
  Identity,
  type IdentityConfig,
  type Initializer,
  type InitializerIdentifier,
  Ones,
  Zeros,
} from "./initializer.js";
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

const registry: Registry<Initializer> = new Registry("initializer");
registry.register("Constant", (config: ConstantConfig) => new Constant(config));
registry.register("Zeros", () => new Zeros(), ["zero"]);
registry.register("Ones", () => new Ones(), ["one"]);
registry.register("Identity", (config: IdentityConfig) => new Identity(config), ["IdentityInitializer"]);
registry.register("RandomNormal", (config: RandomNormalConfig) => new RandomNormal(config), ["normal"]);
registry.register("TruncatedNormal", (config: RandomNormalConfig) => new TruncatedNormal(config));
registry.register("RandomUniform", (config: RandomUniformConfig) => new RandomUniform(config), ["uniform"]);
registry.register("VarianceScaling", (config: VarianceScalingConfig) => new VarianceScaling(config));
registry.register("GlorotUniform", (config: SeedConfig) => new GlorotUniform(config), ["xavierUniform"]);
registry.register("GlorotNormal", (config: SeedConfig) => new GlorotNormal(config), ["xavierNormal"]);
registry.register("HeUniform", (config: SeedConfig) => new HeUniform(config));
registry.register("HeNormal", (config: SeedConfig) => new HeNormal(config));
registry.register("LecunUniform", (config: SeedConfig) => new LecunUniform(config));
registry.register("LecunNormal", (config: SeedConfig) => new LecunNormal(config));
registry.register("Orthogonal", (config: OrthogonalConfig) => new Orthogonal(config), ["OrthogonalInitializer"]);

/**
 * The initializer that an identifier stands for. Throws E_ARGUMENT for an unknown name.
 * @public
 */
export function getInitializer(identifier: InitializerIdentifier): Initializer {
  return registry.get(identifier);
}
