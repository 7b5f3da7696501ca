import type { DType } from "@millrace/autodiff";
import { MillraceError } from "@millrace/autodiff";
import { InputLayer } from "../layers/core/input-layer.js";
import { Model } from "../training/model.js";
import type { AnyRule, ChainRule, LayerRule } from "../types.js";
import type { Serialized } from "../util/identifiers.js";
import { serialize } from "../util/serialize.js";
import { type BatchShape, type BatchShapes, single } from "../util/shapes.js";
import { type CallOptions, forInner, Layer, type Tensors } from "./layer.js";
import { deserializeLayer, registerKerasSerializable } from "./registry.js";
import type { SummaryRow } from "./summary.js";

/**
 * Options of `sequential`.
 * @public
 */
export interface SequentialConfig<Layers extends readonly Layer[] = readonly Layer[]> {
  readonly layers?: Layers;
  readonly name?: string;
}

/**
 * A model whose layers follow one another.
 * @public
 */
export class Sequential<R extends LayerRule = AnyRule> extends Model<R> {
  static override readonly className: string = "Sequential";
  private readonly stack: Layer[] = [];
  private readonly names = new Set<string>();
  /** The shape that reaches each layer, and the one that leaves the last; the first is what the model takes, if known. */
  private reached: BatchShapes[] = [];

  constructor(config: SequentialConfig = {}) {
    super(config.name === undefined ? {} : { name: config.name });
    for (const layer of config.layers ?? []) this.add(layer);
  }

  override get layers(): readonly Layer[] {
    return this.stack.filter((layer) => !(layer instanceof InputLayer));
  }
  /**
   * All layers, an InputLayer among them.
   * @internal
   */
  get stackedLayers(): readonly Layer[] {
    return this.stack;
  }
  override get inputShapes(): readonly BatchShape[] | null {
    const [shape] = this.reached;
    // boundary: a sequential model takes one tensor
    return shape === undefined ? null : [shape as BatchShape];
  }
  override get inputDTypes(): readonly DType[] {
    const [first] = this.stack;
    return first instanceof InputLayer ? [first.inputDType] : [];
  }

  /** Appends a layer. It is built at once where the model's input is known. */
  add(layer: Layer): void {
    if (!(layer instanceof Layer)) {
      throw new MillraceError("E_ARGUMENT", `sequential: add takes a layer, got ${describe(layer)}`);
    }
    this.located(() => {
      this.stack.push(layer);
      try {
        if (this.names.has(layer.name)) this.checkNames();
        if (this.stack.length === 1 && layer.batchInputShape) this.buildFor(layer.batchInputShape);
        else if (this.built) this.reached.push(passed(layer, this.reached.at(-1)!));
      } catch (error) {
        this.stack.pop();
        throw error;
      }
      if (!(layer instanceof InputLayer)) this.names.add(layer.name);
    });
    this.forgetFunctions();
  }

  /** Removes the last layer. Throws E_ARGUMENT where there is none. */
  pop(): void {
    const last = this.stack.pop();
    if (!last) throw new MillraceError("E_ARGUMENT", `sequential: pop finds no layer in "${this.name}"`);
    this.names.delete(last.name);
    this.reached = this.reached.slice(0, this.stack.length + 1);
    this.forgetFunctions();
  }

  override build(inputShape: BatchShapes): void {
    const shape = single("Sequential", inputShape);
    const taken = [null, ...shape.slice(1)];
    const reached: BatchShapes[] = [taken];
    for (const layer of this.stack) reached.push(passed(layer, reached.at(-1)!));
    this.reached = reached;
    const axes = taken.flatMap((size, i) => (size === null ? [] : [[`${i}`, size] as const]));
    this.inputSpec = { rank: shape.length, axes: Object.fromEntries(axes) };
  }

  override call(inputs: Tensors, options: CallOptions): Tensors {
    const [own, inner] = forInner(inputs, options);
    return this.stack.reduce<Tensors>((x, layer) => layer.applyTensors(x, inner), own);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShapes {
    return this.stack.reduce<BatchShapes>((at, layer) => layer.computeOutputShape(at), inputShape);
  }

  override computeOutputDType(inputDType: DType): DType {
    return this.stack.reduce((dtype, layer) => layer.computeOutputDType(dtype), inputDType);
  }

  override getConfig(): Record<string, unknown> {
    return { name: this.name, layers: this.stack.map((layer) => serialize(layer)) };
  }

  // boundary: as in Layer
  static override fromConfig<L>(this: new (config: any) => L, config: Readonly<Record<string, unknown>>): L {
    const layers = (config.layers as readonly Serialized[]).map(deserializeLayer);
    return new this({ ...config, layers });
  }

  override summaryRows(): SummaryRow[] {
    return this.stack.flatMap((layer, i) => {
      if (layer instanceof InputLayer) return [];
      return [{ layer, outputShape: this.reached[i + 1] ?? null, connectedTo: null }];
    });
  }
}

/** What becomes of a shape in a layer, which is built for it. */
function passed(layer: Layer, shape: BatchShapes): BatchShapes {
  layer.buildFor(shape);
  return layer.computeOutputShape(shape);
}

registerKerasSerializable(Sequential);

/**
 * A model whose layers follow one another: from a list, or from tfjs's `{ layers, name }`. More can be added later.
 * @example tf.sequential([tf.layers.dense({ units: 64, activation: "relu" }), tf.layers.dense({ units: 10 })])
 * @public
 */
export function sequential(): Sequential;
export function sequential<const Layers extends readonly Layer[]>(layers: Layers): Sequential<ChainRule<Layers>>;
export function sequential<const Layers extends readonly Layer[] = []>(
  config: SequentialConfig<Layers>,
): Sequential<ChainRule<Layers>>;
export function sequential(given: readonly Layer[] | SequentialConfig = {}): Sequential {
  return new Sequential(isListOfLayers(given) ? { layers: given } : given);
}

function isListOfLayers(given: readonly Layer[] | SequentialConfig): given is readonly Layer[] {
  return Array.isArray(given);
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null
    ? `an object of ${value.constructor?.name ?? "no class"}`
    : String(value);
}
