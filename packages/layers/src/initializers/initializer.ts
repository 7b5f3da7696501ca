// What weights start as: the base class, and initializers without randomness.
import * as tf from "@millrace/autodiff";
import { type FloatDType, MillraceError, type Shape, type Tensor } from "@millrace/autodiff";
import type { Serialized } from "../util/identifiers.js";
import { type Complete, complete, type Defaults } from "../util/options.js";

/**
 * An initializer: its name in any spelling ("glorotUniform", "he_normal"), its serialized form, or the object.
 * @public
 */
export type InitializerIdentifier = string | Serialized | Initializer;

/**
 * Makes the first value of a weight.
 * @public
 */
export abstract class Initializer {
  /** A new tensor of this shape. */
  abstract apply(shape: Shape, dtype?: FloatDType): Tensor;

  /** What the constructor takes to make this initializer again. */
  getConfig(): Record<string, unknown> {
    return {};
  }
}

/**
 * Options of `Constant`.
 * @public
 */
export interface ConstantConfig {
  readonly value?: number;
}
const constantDefaults: Defaults<ConstantConfig> = { value: 0 };

/**
 * One value everywhere.
 * @public
 */
export class Constant extends Initializer {
  static readonly className: string = "Constant";
  private readonly config: Complete<ConstantConfig>;
  constructor(config: ConstantConfig = {}) {
    super();
    this.config = complete("Constant", config, constantDefaults);
  }
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    return tf.fill(shape, this.config.value, dtype);
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}

/**
 * 0 everywhere.
 * @public
 */
export class Zeros extends Initializer {
  static readonly className: string = "Zeros";
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    return tf.zeros(shape, dtype);
  }
}

/**
 * 1 everywhere.
 * @public
 */
export class Ones extends Initializer {
  static readonly className: string = "Ones";
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    return tf.ones(shape, dtype);
  }
}

/**
 * Options of `Identity`.
 * @public
 */
export interface IdentityConfig {
  readonly gain?: number;
}
const identityDefaults: Defaults<IdentityConfig> = { gain: 1 };

/**
 * `gain` on the diagonal of a matrix, 0 elsewhere.
 * @public
 */
export class Identity extends Initializer {
  static readonly className: string = "Identity";
  private readonly config: Complete<IdentityConfig>;
  constructor(config: IdentityConfig = {}) {
    super();
    this.config = complete("Identity", config, identityDefaults);
  }
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    if (shape.length !== 2) throw new MillraceError("E_SHAPE", `Identity: needs a matrix, got shape [${shape}]`);
    return tf.tidy(() => tf.mul(tf.eye(shape[0]!, shape[1]!, [], dtype), this.config.gain));
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}
