import { concat, type FloatDType, MillraceError, type Tensor } from "@millrace/autodiff";
import { isList, Layer, type LayerConfig, layerOptions, type Tensors } from "../../topology/layer.js";
import type { ConcatenateRule } from "../../types.js";
import type { Complete, Defaults } from "../../util/options.js";
import { axisIn, type BatchShape, type BatchShapes, isShapeList, showShapes } from "../../util/shapes.js";

/**
 * Options of `Concatenate`.
 * @public
 */
export interface ConcatenateConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  /** Along which axis; the last unless said. */
  readonly axis?: number;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<ConcatenateConfig, keyof LayerConfig>> = { axis: -1 };

/**
 * The inputs one after another along an axis.
 * @example tf.layers.concatenate().apply([a, b])
 * @public
 */
export class Concatenate<const D extends FloatDType = "float32"> extends Layer<ConcatenateRule<D>> {
  static override readonly className: string = "Concatenate";
  private readonly config: Complete<ConcatenateConfig>;

  constructor(config: ConcatenateConfig<D> = {}) {
    const all = layerOptions<ConcatenateConfig>("Concatenate", config, defaults);
    super(all);
    this.config = all;
  }

  override call(inputs: Tensors): Tensor {
    if (!isList(inputs)) throw this.needsList();
    return concat(inputs, this.config.axis);
  }

  override build(inputShape: BatchShapes): void {
    this.computeOutputShape(inputShape);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    if (!isShapeList(inputShape)) throw this.needsList();
    const [first] = inputShape as readonly [BatchShape, ...BatchShape[]];
    const axis = axisIn("Concatenate", this.config.axis, first.length);
    return first.map((_, i) => {
      const sizes = inputShape.map((shape) => shape[i] ?? null);
      const known = sizes.filter((size) => size !== null);
      if (i === axis) return known.length === sizes.length ? known.reduce((a, b) => a + b, 0) : null;
      if (inputShape.every((shape) => shape.length === first.length) && new Set(known).size <= 1)
        return known[0] ?? null;
      const message = `Concatenate: shapes ${showShapes(inputShape)} differ off axis ${axis}`;
      throw new MillraceError("E_SHAPE", message, { layer: this.name });
    });
  }

  private needsList(): MillraceError {
    return new MillraceError("E_ARGUMENT", "Concatenate: takes a list of tensors", { layer: this.name });
  }

  override getConfig(): Record<string, unknown> {
    return { ...this.config, ...super.getConfig() };
  }
}
