import { type DType, MillraceError, reshape, type Tensor } from "@millrace/autodiff";
import { type CallOptions, Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import { deserializeLayer } from "../../topology/registry.js";
import type { AnyRule } from "../../types.js";
import { isSerialized, type Serialized } from "../../util/identifiers.js";
import { type Defaults, required } from "../../util/options.js";
import { serialize } from "../../util/serialize.js";
import { type BatchShape, type BatchShapes, isShapeList, single } from "../../util/shapes.js";

/**
 * Options of `timeDistributed`.
 * @public
 */
export interface TimeDistributedConfig extends LayerConfig {
  /** What each step goes through. */
  readonly layer: Layer | Serialized;
}

const defaults: Defaults<Omit<TimeDistributedConfig, keyof LayerConfig>> = { layer: required };

/**
 * A layer applied to each step of [batch, time, ...] with the same weights: all steps of all rows are one batch to it.
 * @example tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 8 }) })
 * @public
 */
export class TimeDistributed extends Layer<AnyRule> {
  static override readonly className: string = "TimeDistributed";
  protected override readonly supportsMasking: boolean = true;
  readonly layer: Layer;

  constructor(config: TimeDistributedConfig) {
    const all = layerOptions<TimeDistributedConfig>("TimeDistributed", config, defaults);
    super(all);
    const { layer } = all;
    this.layer = !(layer instanceof Layer) && isSerialized(layer) ? deserializeLayer(layer) : (layer as Layer);
    if (!(this.layer instanceof Layer)) throw new MillraceError("E_ARGUMENT", "TimeDistributed: takes a layer");
  }

  override build(inputShape: BatchShapes): void {
    this.layer.buildFor(stepShape(inputShape));
  }

  override call(inputs: Tensors, options: CallOptions): Tensor {
    const x = one("TimeDistributed", inputs);
    const [batch, time, ...features] = x.shape as readonly number[];
    const rows: Tensor = reshape(x, [-1, ...features]);
    // boundary: computeOutputShape refuses layers that give several tensors
    const made = this.layer.applyTensors(
      rows,
      options.training === undefined ? {} : { training: options.training },
    ) as Tensor;
    return reshape(made, [batch!, time!, ...(made.shape as readonly number[]).slice(1)]);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    const [batch = null, time = null] = single("TimeDistributed", inputShape);
    const made = this.layer.computeOutputShape(stepShape(inputShape));
    if (isShapeList(made)) throw new MillraceError("E_ARGUMENT", "TimeDistributed: takes a layer with one result");
    return [batch, time, ...made.slice(1)];
  }

  override computeOutputDType(inputDType: DType): DType {
    return this.layer.computeOutputDType(inputDType);
  }

  override getConfig(): Record<string, unknown> {
    return { layer: serialize(this.layer), ...super.getConfig() };
  }
}

function stepShape(inputShape: BatchShapes): BatchShape {
  const [, , ...features] = single("TimeDistributed", inputShape);
  return [null, ...features];
}
