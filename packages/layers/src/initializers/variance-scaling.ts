// Initializers that keep the variance of signals from layer to layer: Glorot's, He's and LeCun's.
import * as tf from "@millrace/autodiff";
import { type FloatDType, MillraceError, type Shape, type Tensor } from "@millrace/autodiff";
import { type Complete, complete, type Defaults } from "../util/options.js";
import { Initializer } from "./initializer.js";

/**
 * Options of `VarianceScaling`.
 * @public
 */
export interface VarianceScalingConfig {
  readonly scale?: number;
  readonly mode?: "fanIn" | "fanOut" | "fanAvg";
  readonly distribution?: "truncatedNormal" | "untruncatedNormal" | "uniform";
  readonly seed?: number | null;
}
const varianceDefaults: Defaults<VarianceScalingConfig> = {
  scale: 1,
  mode: "fanIn",
  distribution: "truncatedNormal",
  seed: null,
};

/** The standard deviation of a normal distribution that is cut off at two. */
const truncatedDeviation = 0.8796256610342398;

/** How many numbers enter and leave an element of a kernel, [..., in, out] as layers write it. */
export function fansOf(shape: readonly number[]): readonly [fanIn: number, fanOut: number] {
  if (shape.length < 2) return [shape[0] ?? 1, shape[0] ?? 1];
  const receptive = shape.slice(0, -2).reduce((n, size) => n * size, 1);
  return [receptive * shape.at(-2)!, receptive * shape.at(-1)!];
}

/**
 * Random values of variance scale / fan.
 * @public
 */
export class VarianceScaling extends Initializer {
  static readonly className: string = "VarianceScaling";
  private readonly config: Complete<VarianceScalingConfig>;
  constructor(config: VarianceScalingConfig = {}) {
    const all = complete("VarianceScaling", config, varianceDefaults);
    super();
    if (!(all.scale > 0))
      throw new MillraceError("E_ARGUMENT", `VarianceScaling: scale must be over 0, got ${all.scale}`);
    this.config = all;
  }
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    const { scale, mode, distribution, seed: given } = this.config;
    const seed = given ?? undefined;
    const [fanIn, fanOut] = fansOf(shape);
    const fan = mode === "fanIn" ? fanIn : mode === "fanOut" ? fanOut : (fanIn + fanOut) / 2;
    const variance = scale / Math.max(1, fan);
    if (distribution === "uniform") {
      const limit = Math.sqrt(3 * variance);
      return tf.randomUniform(shape, -limit, limit, dtype, seed);
    }
    const deviation = Math.sqrt(variance);
    if (distribution === "untruncatedNormal") return tf.randomNormal(shape, 0, deviation, dtype, seed);
    return tf.truncatedNormal(shape, 0, deviation / truncatedDeviation, dtype, seed);
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}

/**
 * Options of the initializers that are named for their authors.
 * @public
 */
export interface SeedConfig {
  readonly seed?: number | null;
}
const seedDefaults: Defaults<SeedConfig> = { seed: null };

type Scaling = Omit<Complete<VarianceScalingConfig>, "seed">;

/** A VarianceScaling of which only the seed is open. */
abstract class NamedScaling extends VarianceScaling {
  private readonly seedConfig: Complete<SeedConfig>;
  constructor(name: string, scaling: Scaling, config: SeedConfig) {
    const all = complete(name, config, seedDefaults);
    super({ ...scaling, seed: all.seed });
    this.seedConfig = all;
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.seedConfig };
  }
}

/**
 * Uniform within ±√(6 / (fanIn + fanOut)): Glorot and Bengio (2010).
 * @public
 */
export class GlorotUniform extends NamedScaling {
  static override readonly className: string = "GlorotUniform";
  constructor(config: SeedConfig = {}) {
    super("GlorotUniform", { scale: 1, mode: "fanAvg", distribution: "uniform" }, config);
  }
}

/**
 * Truncated normal of variance 2 / (fanIn + fanOut): Glorot and Bengio (2010).
 * @public
 */
export class GlorotNormal extends NamedScaling {
  static override readonly className: string = "GlorotNormal";
  constructor(config: SeedConfig = {}) {
    super("GlorotNormal", { scale: 1, mode: "fanAvg", distribution: "truncatedNormal" }, config);
  }
}

/**
 * Uniform within ±√(6 / fanIn): He and others (2015).
 * @public
 */
export class HeUniform extends NamedScaling {
  static override readonly className: string = "HeUniform";
  constructor(config: SeedConfig = {}) {
    super("HeUniform", { scale: 2, mode: "fanIn", distribution: "uniform" }, config);
  }
}

/**
 * Truncated normal of variance 2 / fanIn: He and others (2015).
 * @public
 */
export class HeNormal extends NamedScaling {
  static override readonly className: string = "HeNormal";
  constructor(config: SeedConfig = {}) {
    super("HeNormal", { scale: 2, mode: "fanIn", distribution: "truncatedNormal" }, config);
  }
}

/**
 * Uniform within ±√(3 / fanIn): LeCun and others (1998).
 * @public
 */
export class LecunUniform extends NamedScaling {
  static override readonly className: string = "LecunUniform";
  constructor(config: SeedConfig = {}) {
    super("LecunUniform", { scale: 1, mode: "fanIn", distribution: "uniform" }, config);
  }
}

/**
 * Truncated normal of variance 1 / fanIn: LeCun and others (1998).
 * @public
 */
export class LecunNormal extends NamedScaling {
  static override readonly className: string = "LecunNormal";
  constructor(config: SeedConfig = {}) {
    super("LecunNormal", { scale: 1, mode: "fanIn", distribution: "truncatedNormal" }, config);
  }
}
