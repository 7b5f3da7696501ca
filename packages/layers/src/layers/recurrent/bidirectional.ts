import * as tf from "@millrace/autodiff";
import { type DType, MillraceError, type Tensor } from "@millrace/autodiff";
import { type CallOptions, isList, Layer, type LayerConfig, layerOptions, type Tensors } from "../../topology/layer.js";
import { deserializeLayer } from "../../topology/registry.js";
import type { AnyRule } from "../../types.js";
import { isSerialized, type Serialized } from "../../util/identifiers.js";
import { type Defaults, required } from "../../util/options.js";
import { serialize } from "../../util/serialize.js";
import { type BatchShape, type BatchShapes, isShapeList } from "../../util/shapes.js";
import { Recurrent } from "./rnn.js";

/** How the outputs of both directions become one; null gives both. */
export type MergeMode = "concat" | "sum" | "ave" | "mul";

/**
 * Options of `bidirectional`.
 * @public
 */
export interface BidirectionalConfig extends LayerConfig {
  /** A recurrent layer: one like it is made for each direction. */
  readonly layer: Layer | Serialized;
  readonly mergeMode?: MergeMode | null;
  /** What the layer that reads backwards is like, where that differs; its goBackwards is not that of `layer`. */
  readonly backwardLayer?: Layer | Serialized | null;
}

const defaults: Defaults<Omit<BidirectionalConfig, keyof LayerConfig>> = {
  layer: required,
  mergeMode: "concat",
  backwardLayer: null,
};

const merges: Readonly<Record<MergeMode, (a: Tensor, b: Tensor) => Tensor>> = {
  concat: (a, b) => tf.concat([a, b] as readonly Tensor[], -1) as Tensor,
  sum: (a, b) => tf.add(a, b),
  ave: (a, b) => tf.div(tf.add(a, b) as Tensor, 2),
  mul: (a, b) => tf.mul(a, b),
};

/**
 * A recurrent layer in both directions: what they give is put side by side, or as `mergeMode` says. With `returnState` the
 * states of both follow, those of the forward layer first; a list [x, ...states] starts from such.
 * @example tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 8, returnSequences: true }) })
 * @public
 */
export class Bidirectional extends Layer<AnyRule> {
  static override readonly className: string = "Bidirectional";
  readonly forwardLayer: Recurrent;
  readonly backwardLayer: Recurrent;
  private readonly mergeMode: MergeMode | null;

  constructor(config: BidirectionalConfig) {
    const all = layerOptions<BidirectionalConfig>("Bidirectional", config, defaults);
    super(all);
    const layer = recurrentOf(all.layer);
    // As in Keras, steps that do not count give zeros here.
    const like = (own: Recurrent, changes: object): Recurrent =>
      recurrentOf({
        className: own.className,
        config: { ...own.getConfig(), zeroOutputForMask: own.returnSequences, ...changes },
      });
    const name = layer.name.replace(/^forward_/, "");
    this.forwardLayer = like(layer, { name: `forward_${name}` });
    this.backwardLayer = all.backwardLayer
      ? like(recurrentOf(all.backwardLayer), {})
      : like(layer, { name: `backward_${name}`, goBackwards: !layer.goBackwards });
    if (this.forwardLayer.goBackwards === this.backwardLayer.goBackwards) {
      throw new MillraceError("E_ARGUMENT", "Bidirectional: layer and backwardLayer read in one direction");
    }
    this.mergeMode = all.mergeMode;
    if (this.mergeMode !== null && !Object.hasOwn(merges, this.mergeMode)) {
      const what = `mergeMode is one of ${Object.keys(merges).join(", ")} or null, got ${String(this.mergeMode)}`;
      throw new MillraceError("E_ARGUMENT", `Bidirectional: ${what}`);
    }
  }

  /** Forgets the states that `stateful` layers keep. */
  resetStates(): void {
    this.forwardLayer.resetStates();
    this.backwardLayer.resetStates();
  }

  override build(inputShape: BatchShapes): void {
    const shape = isShapeList(inputShape) ? inputShape[0]! : inputShape;
    for (const layer of [this.forwardLayer, this.backwardLayer]) layer.buildFor(shape);
  }

  override call(inputs: Tensors, options: CallOptions): Tensors {
    const [x, ...states] = isList(inputs) ? inputs : [inputs];
    const half = states.length / 2;
    const through = (layer: Recurrent, own: readonly Tensor[]): readonly Tensor[] => {
      const made = layer.applyTensors(own.length > 0 ? [x!, ...own] : x!, options);
      return isList(made) ? made : [made];
    };
    const [forward, ...forwardStates] = through(this.forwardLayer, states.slice(0, half));
    const [own, ...backwardStates] = through(this.backwardLayer, states.slice(half));
    const backward: Tensor = this.forwardLayer.returnSequences ? (tf.reverse(own!, 1) as Tensor) : own!;
    const merged = this.mergeMode ? [merges[this.mergeMode](forward!, backward)] : [forward!, backward];
    const all = [...merged, ...forwardStates, ...backwardStates];
    return all.length === 1 ? all[0]! : all;
  }

  override computeMask(_inputs: Tensors, mask: Tensor | null): Tensor | null {
    return this.forwardLayer.returnSequences ? mask : null;
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShapes {
    const shape = isShapeList(inputShape) ? inputShape[0]! : inputShape;
    const shapesOf = (layer: Recurrent): readonly BatchShape[] => {
      const made = layer.computeOutputShape(shape);
      return isShapeList(made) ? made : [made];
    };
    const [forward, ...forwardStates] = shapesOf(this.forwardLayer);
    const [backward, ...backwardStates] = shapesOf(this.backwardLayer);
    const wide = (forward!.at(-1) ?? 0) + (backward!.at(-1) ?? 0);
    const merged = this.mergeMode === "concat" ? [[...forward!.slice(0, -1), wide]] : [forward!];
    const all = [...(this.mergeMode ? merged : [forward!, backward!]), ...forwardStates, ...backwardStates];
    return all.length === 1 ? all[0]! : all;
  }

  override computeOutputDType(): DType {
    return this.forwardLayer.dtype;
  }

  override getConfig(): Record<string, unknown> {
    const { forwardLayer, backwardLayer, mergeMode } = this;
    return { layer: serialize(forwardLayer), mergeMode, backwardLayer: serialize(backwardLayer), ...super.getConfig() };
  }
}

/** A recurrent layer, or one that a configuration describes. */
function recurrentOf(layer: Layer | Serialized): Recurrent {
  const made = !(layer instanceof Layer) && isSerialized(layer) ? deserializeLayer(layer) : layer;
  if (made instanceof Recurrent) return made;
  throw new MillraceError("E_ARGUMENT", "Bidirectional: takes a recurrent layer, such as tf.layers.lstm({ units: 4 })");
}
