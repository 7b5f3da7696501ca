import { type FloatDType, MillraceError, reshape, type Shape, type Tensor } from "@millrace/autodiff";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { ReshapeRule } from "../../types.js";
import { type Complete, type Defaults, required } from "../../util/options.js";
import { type BatchShape, type BatchShapes, countOf, showShape, single } from "../../util/shapes.js";

/**
 * Options of `Reshape`.
 * @public
 */
export interface ReshapeConfig<Target extends Shape = Shape, D extends FloatDType = FloatDType> extends LayerConfig {
  /** The new shape without the batch axis; one size may be -1, which is what the others leave. */
  readonly targetShape: Target;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<ReshapeConfig, keyof LayerConfig>> = { targetShape: required };

/**
 * The same elements in another shape; the batch axis stays.
 * @example tf.layers.reshape({ targetShape: [28, 28, 1] })
 * @public
 */
export class Reshape<const Target extends Shape = Shape, const D extends FloatDType = "float32"> extends Layer<
  ReshapeRule<Target, D>
> {
  static override readonly className: string = "Reshape";
  private readonly config: Complete<ReshapeConfig>;

  constructor(config: ReshapeConfig<Target, D>) {
    const all = layerOptions<ReshapeConfig>("Reshape", config, defaults);
    super(all);
    this.config = all;
  }

  override call(inputs: Tensors): Tensor {
    const x = one("Reshape", inputs);
    return reshape(x, [x.shape[0], ...this.config.targetShape]);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    const [batch = null, ...rest] = single("Reshape", inputShape);
    const { targetShape } = this.config;
    const have = countOf(rest);
    const known = targetShape.filter((size) => size !== -1).reduce((n, size) => n * size, 1);
    const hasHole = targetShape.includes(-1);
    if (have === null) return [batch, ...targetShape.map((size) => (size === -1 ? null : size))];
    if (hasHole ? known === 0 || have % known !== 0 : have !== known) {
      const [from, to] = [showShape([batch, ...rest]), showShape([batch, ...targetShape])];
      throw new MillraceError("E_SHAPE", `Reshape: ${from} does not fit ${to}`, { layer: this.name });
    }
    return [batch, ...targetShape.map((size) => (size === -1 ? have / known : size))];
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}
