import * as tf from "@millrace/autodiff";
import { type FloatDType, MillraceError, type Shape, type Tensor } from "@millrace/autodiff";
import { type Complete, complete, type Defaults } from "../util/options.js";
import { Initializer } from "./initializer.js";

/**
 * Options of `Orthogonal`.
 * @public
 */
export interface OrthogonalConfig {
  readonly gain?: number;
  readonly seed?: number | null;
}
const defaults: Defaults<OrthogonalConfig> = { gain: 1, seed: null };

/**
 * A random matrix whose rows, or columns where it is tall, are orthonormal; leading axes count as rows.
 * @public
 */
export class Orthogonal extends Initializer {
  static readonly className: string = "Orthogonal";
  private readonly config: Complete<OrthogonalConfig>;
  constructor(config: OrthogonalConfig = {}) {
    const all = complete("Orthogonal", config, defaults);
    super();
    this.config = all;
  }
  override apply(shape: Shape, dtype: FloatDType = "float32"): Tensor {
    if (shape.length < 2) throw new MillraceError("E_SHAPE", `Orthogonal: needs rank 2 or more, got shape [${shape}]`);
    const columns = shape.at(-1)!;
    const rows = shape.slice(0, -1).reduce((n, size) => n * size, 1);
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    return tf.tidy(() => {
      const drawn: Tensor = tf.randomNormal([count, length], 0, 1, dtype, this.config.seed ?? undefined);
      const vectors = orthonormal(drawn, count, length, dtype);
      return tf.mul(tf.reshape(rows <= columns ? vectors : tf.transpose(vectors), shape), this.config.gain);
    });
  }
  override getConfig(): Record<string, unknown> {
    return { ...this.config };
  }
}

/** Gram and Schmidt's process on rows, each row twice: once leaves rounding errors that grow with their number. */
function orthonormal(rows: Tensor, count: number, length: number, dtype: FloatDType): Tensor {
  let done: Tensor = tf.zeros([count, length], dtype);
  for (let i = 0; i < count; i++) {
    done = tf.tidy(() => {
      let row: Tensor = tf.slice(rows, [i, 0], [1, length]);
      for (let pass = 0; pass < 2; pass++) row = tf.sub(row, tf.matMul(tf.matMul(row, done, false, true), done));
      const unit = tf.div(row, tf.sqrt(tf.sum(tf.square(row))));
      const place: Tensor = tf.cast(tf.expandDims(tf.equal(tf.range(0, count), i), -1), dtype);
      return tf.add(done, tf.mul(place, unit));
    });
  }
  return done;
}
