import { type DType, MillraceError, type Shape, type Tensor } from "@millrace/autodiff";
import { Layer, one, type Tensors } from "../../topology/layer.js";
import type { InputRule } from "../../types.js";
import { complete, type Defaults, required } from "../../util/options.js";
import type { BatchShape } from "../../util/shapes.js";

/**
 * Options of `InputLayer`.
 * @public
 */
export interface InputLayerConfig<Sizes extends readonly (number | null)[] = BatchShape, D extends DType = DType> {
  /** The shape without the batch axis; null is a size that may be anything. */
  readonly inputShape: Sizes;
  readonly dtype?: D;
  readonly name?: string | null;
}

const defaults: Defaults<InputLayerConfig> = { inputShape: required, dtype: "float32", name: null };

/**
 * The sizes of a shape; a null is any size.
 * @public
 */
export type KnownSizes<S> = { -readonly [K in keyof S]: S[K] extends number ? S[K] : number } extends infer T extends
  Shape
  ? T
  : Shape;

/**
 * Says what a model takes: the first layer of a sequential model, or what `input` makes of a functional one.
 * @example tf.sequential([tf.layers.inputLayer({ inputShape: [28, 28, 1] }), tf.layers.flatten()])
 * @public
 */
export class InputLayer<
  const Sizes extends readonly (number | null)[] = BatchShape,
  const D extends DType = "float32",
> extends Layer<InputRule<KnownSizes<Sizes>, D>> {
  static override readonly className: string = "InputLayer";
  protected override readonly supportsMasking: boolean = true;
  /** The dtype of the tensors that come in; it may be one without a fraction. */
  readonly inputDType: DType;
  protected override readonly autocast: boolean = false;

  constructor(config: InputLayerConfig<Sizes, D>) {
    const all = complete<InputLayerConfig>("InputLayer", config, defaults);
    super({ name: all.name, inputShape: all.inputShape });
    this.inputDType = all.dtype;
    for (const size of all.inputShape) {
      if (size === null || (Number.isSafeInteger(size) && size >= 0)) continue;
      throw new MillraceError(
        "E_SHAPE",
        `InputLayer: inputShape [${all.inputShape}] has a size that is not a whole number`,
      );
    }
    const axes = all.inputShape.flatMap((size, i) => (size === null ? [] : [[`${i + 1}`, size] as const]));
    this.inputSpec = { rank: all.inputShape.length + 1, axes: Object.fromEntries(axes) };
  }

  override call(inputs: Tensors): Tensor {
    return one("InputLayer", inputs);
  }

  override computeOutputDType(): DType {
    return this.inputDType;
  }

  override getConfig(): Record<string, unknown> {
    return { name: this.name, inputShape: this.batchInputShape!.slice(1), dtype: this.inputDType };
  }
}
