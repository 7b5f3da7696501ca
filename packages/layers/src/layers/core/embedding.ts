import {
  cast,
  type DType,
  dtypes,
  type FloatDType,
  gather,
  notEqual,
  type Tensor,
  type Variable,
} from "@millrace/autodiff";
import type { InitializerIdentifier } from "../../initializers/initializer.js";
import type { RegularizerIdentifier } from "../../regularizers/regularizers.js";
import { Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { EmbeddingRule } from "../../types.js";
import { type Complete, checkWhole, type Defaults, required } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { type BatchShape, type BatchShapes, single } from "../../util/shapes.js";

/**
 * Options of `Embedding`.
 * @public
 */
export interface EmbeddingConfig<Units extends number = number, D extends FloatDType = FloatDType> extends LayerConfig {
  /** How many different integers there are; the input holds 0 … inputDim - 1. */
  readonly inputDim: number;
  /** The length of the vector of each. */
  readonly outputDim: Units;
  readonly embeddingsInitializer?: InitializerIdentifier;
  readonly embeddingsRegularizer?: RegularizerIdentifier | null;
  /** Whether 0 stands for a step that does not count: the result carries a mask. */
  readonly maskZero?: boolean;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<EmbeddingConfig, keyof LayerConfig>> = {
  inputDim: required,
  outputDim: required,
  embeddingsInitializer: "uniform",
  embeddingsRegularizer: null,
  maskZero: false,
};

/**
 * A trained vector for each integer: [batch, ...] gives [batch, ..., outputDim].
 * @example tf.layers.embedding({ inputDim: 1000, outputDim: 16 })
 * @public
 */
export class Embedding<const Units extends number = number, const D extends FloatDType = "float32"> extends Layer<
  EmbeddingRule<Units, D>
> {
  static override readonly className: string = "Embedding";
  private readonly config: Complete<EmbeddingConfig>;
  private embeddings: Variable | null = null;
  protected override readonly autocast: boolean = false;

  constructor(config: EmbeddingConfig<Units, D>) {
    const all = layerOptions<EmbeddingConfig>("Embedding", config, defaults);
    super(all);
    checkWhole("Embedding", "inputDim", all.inputDim);
    checkWhole("Embedding", "outputDim", all.outputDim);
    this.config = all;
  }

  override build(): void {
    const { inputDim, outputDim, embeddingsInitializer, embeddingsRegularizer } = this.config;
    this.embeddings = this.addWeight({
      name: "embeddings",
      shape: [inputDim, outputDim],
      initializer: embeddingsInitializer,
      regularizer: embeddingsRegularizer,
    });
  }

  override call(inputs: Tensors): Tensor {
    const x = one("Embedding", inputs);
    const dtype: DType = x.dtype;
    return gather(this.embeddings!, dtypes[dtype].isInteger ? x : cast(x, "int32"));
  }

  override computeMask(inputs: Tensors): Tensor | null {
    return this.config.maskZero ? notEqual(one("Embedding", inputs), 0) : null;
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    return [...single("Embedding", inputShape), this.config.outputDim];
  }

  override computeOutputDType(): FloatDType {
    return this.dtype;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}
