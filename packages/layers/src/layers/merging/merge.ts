// Layers that take a list of tensors and combine them element by element.
import { add, div, type FloatDType, MillraceError, maximum, minimum, mul, sub, type Tensor } from "@millrace/autodiff";
import { isList, Layer, type LayerConfig, layerOptions, type Tensors } from "../../topology/layer.js";
import type { MergeRule } from "../../types.js";
import { type BatchShape, type BatchShapes, isShapeList, showShapes } from "../../util/shapes.js";

/**
 * Options of the merging layers.
 * @public
 */
export interface MergeConfig<D extends FloatDType = FloatDType> extends LayerConfig {
  readonly dtype?: D | undefined;
}

/** What the layers that merge element by element share; shapes broadcast. */
abstract class Merge<Name extends string, D extends FloatDType> extends Layer<MergeRule<Name, D>> {
  protected override readonly supportsMasking: boolean = true;

  constructor(className: string, config: MergeConfig) {
    super(layerOptions<MergeConfig>(className, config, {}));
  }

  /** Combines the tensors, of which there are two or more. */
  protected abstract merge(xs: readonly Tensor[]): Tensor;

  override call(inputs: Tensors): Tensor {
    if (isList(inputs) && inputs.length >= 2) return this.merge(inputs);
    throw this.needsList();
  }

  override build(inputShape: BatchShapes): void {
    this.computeOutputShape(inputShape);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    if (!isShapeList(inputShape) || inputShape.length < 2) throw this.needsList();
    return inputShape.reduce((a, b) => {
      const rank = Math.max(a.length, b.length);
      return Array.from({ length: rank }, (_, i) => {
        const [x = 1, y = 1] = [a[a.length - rank + i], b[b.length - rank + i]];
        if (x === y || y === 1) return x;
        if (x === 1) return y;
        if (x === null || y === null) return x ?? y;
        const message = `${this.className}: shapes ${showShapes(inputShape)} do not broadcast (${x} vs ${y})`;
        throw new MillraceError("E_SHAPE", message, { layer: this.name });
      });
    });
  }

  private needsList(): MillraceError {
    return new MillraceError("E_ARGUMENT", `${this.className}: takes a list of at least 2 tensors`, {
      layer: this.name,
    });
  }
}

/**
 * The sum of the inputs.
 * @example tf.layers.add().apply([a, b])
 * @public
 */
export class Add<const D extends FloatDType = "float32"> extends Merge<"add", D> {
  static override readonly className: string = "Add";
  constructor(config: MergeConfig<D> = {}) {
    super("Add", config);
  }
  protected override merge(xs: readonly Tensor[]): Tensor {
    return xs.reduce((a, b) => add(a, b));
  }
}

/**
 * The first input minus the second.
 * @example tf.layers.subtract().apply([a, b])
 * @public
 */
export class Subtract<const D extends FloatDType = "float32"> extends Merge<"subtract", D> {
  static override readonly className: string = "Subtract";
  constructor(config: MergeConfig<D> = {}) {
    super("Subtract", config);
  }
  protected override merge(xs: readonly Tensor[]): Tensor {
    if (xs.length === 2) return sub(xs[0]!, xs[1]!);
    throw new MillraceError("E_ARGUMENT", `Subtract: takes a list of 2 tensors, got ${xs.length}`, {
      layer: this.name,
    });
  }
}

/**
 * The product of the inputs.
 * @example tf.layers.multiply().apply([a, b])
 * @public
 */
export class Multiply<const D extends FloatDType = "float32"> extends Merge<"multiply", D> {
  static override readonly className: string = "Multiply";
  constructor(config: MergeConfig<D> = {}) {
    super("Multiply", config);
  }
  protected override merge(xs: readonly Tensor[]): Tensor {
    return xs.reduce((a, b) => mul(a, b));
  }
}

/**
 * The mean of the inputs.
 * @example tf.layers.average().apply([a, b])
 * @public
 */
export class Average<const D extends FloatDType = "float32"> extends Merge<"average", D> {
  static override readonly className: string = "Average";
  constructor(config: MergeConfig<D> = {}) {
    super("Average", config);
  }
  protected override merge(xs: readonly Tensor[]): Tensor {
    return div(
      xs.reduce((a, b) => add(a, b)),
      xs.length,
    );
  }
}

/**
 * The greatest of the inputs.
 * @example tf.layers.maximum().apply([a, b])
 * @public
 */
export class Maximum<const D extends FloatDType = "float32"> extends Merge<"maximum", D> {
  static override readonly className: string = "Maximum";
  constructor(config: MergeConfig<D> = {}) {
    super("Maximum", config);
  }
  protected override merge(xs: readonly Tensor[]): Tensor {
    return xs.reduce((a, b) => maximum(a, b));
  }
}

/**
 * The least of the inputs.
 * @example tf.layers.minimum().apply([a, b])
 * @public
 */
export class Minimum<const D extends FloatDType = "float32"> extends Merge<"minimum", D> {
  static override readonly className: string = "Minimum";
  constructor(config: MergeConfig<D> = {}) {
    super("Minimum", config);
  }
  protected override merge(xs: readonly Tensor[]): Tensor {
    return xs.reduce((a, b) => minimum(a, b));
  }
}
