import {
  cast,
  type DType,
  dtypes,
  type FloatDType,
  isMillraceError,
  MillraceError,
  type Tensor,
  type Variable,
} from "@millrace/autodiff";
import { checkOptions, inScope, markLayer } from "@millrace/autodiff/support";
import type { Applied, Checked, LayerInput, LayerRule } from "../types.js";
import { snakeCase, uniqueName } from "../util/names.js";
import { type Complete, complete, type Defaults } from "../util/options.js";
import { type BatchShape, type BatchShapes, countOf, isShapeList, shapeOf } from "../util/shapes.js";
import { checkInput, type InputSpec } from "./input-spec.js";
import { reportLoss } from "./losses.js";
import { commonMask, maskOf, setMask } from "./masks.js";
import { isTraining, structure } from "./phase.js";
import { type LayerCall, SymbolicTensor } from "./symbolic.js";
import { assignAll, isTensor, makeWeight, type Weight, type WeightOptions, type WeightValue } from "./weights.js";

/**
 * What every layer takes.
 * @public
 */
export interface LayerConfig {
  /** Unique within a model; made from the class's name if left out. */
  readonly name?: string | null;
  /** Whether optimizers change the layer's weights; true unless said. */
  readonly trainable?: boolean;
  /** The dtype of weights and results; float32 unless said. */
  readonly dtype?: FloatDType | undefined;
  /** For the first layer of a sequential model: the input's shape without the batch axis. */
  readonly inputShape?: BatchShape | null;
}

/**
 * How a layer is called.
 * @public
 */
export interface CallOptions {
  /** Whether this is a training step: dropout and batch normalisation differ. That of the call around, else false. */
  readonly training?: boolean;
  /** Which steps of a sequence count, bool [batch, time]; unless said that of the input, as `masking` and `embedding` make it. */
  readonly mask?: Tensor | null;
}

/**
 * One tensor or several.
 * @public
 */
export type Tensors = Tensor | readonly Tensor[];

const layerDefaults: Defaults<LayerConfig> = { name: null, trainable: true, dtype: "float32", inputShape: null };

/** The options of a class of layers with those that every layer takes. */
export function layerOptions<C extends LayerConfig>(
  className: string,
  config: C,
  defaults: Defaults<Omit<C, keyof LayerConfig>>,
): Complete<C> {
  // boundary: the defaults of a class and those of every layer are all of its keys
  return complete(className, config, { ...layerDefaults, ...defaults } as Defaults<C>);
}

/**
 * A function with weights. A subclass makes its weights in `build`, computes in `call`, and says in `computeOutputShape`
 * what becomes of a shape.
 *
 *     class Scale extends tf.layers.Layer {
 *       build() { this.factor = this.addWeight({ name: "factor", shape: [], initializer: "ones" }); }
 *       call(x) { return tf.mul(x, this.factor); }
 *     }
 * @public
 */
// boundary: a bare Layer has any rule
export abstract class Layer<R extends LayerRule = any> {
  /** The name of the class in files; that of the constructor unless said. */
  static readonly className: string;
  /** Holds the rule for the compiler; nothing at run time. */
  declare readonly rule?: R;

  readonly name: string;
  readonly dtype: FloatDType;
  /** The input's shape, batch included, where the constructor was told one. */
  readonly batchInputShape: BatchShape | null;
  /** What the layer needs of its input. */
  protected inputSpec: InputSpec | null = null;
  /** Whether the mask of the input is that of the result. */
  protected readonly supportsMasking: boolean = false;
  /** Whether float inputs are cast to the layer's dtype. */
  protected readonly autocast: boolean = true;
  private isTrainable: boolean;
  private builtFor: BatchShapes | null = null;
  private isDisposed = false;
  private readonly ownWeights: Weight[] = [];

  constructor(config: LayerConfig = {}) {
    this.name = config.name ?? uniqueName(snakeCase(this.className));
    this.dtype = config.dtype ?? "float32";
    this.isTrainable = config.trainable ?? true;
    this.batchInputShape = config.inputShape ? [null, ...config.inputShape] : null;
  }

  /** The name of the class in files. */
  get className(): string {
    // boundary: the constructor of an object is its class
    const made = this.constructor as typeof Layer;
    return Object.hasOwn(made, "className") ? made.className : made.name;
  }

  // --- what a subclass says

  /** Makes the weights for inputs of this shape. Called once, before the first call. */
  build(_inputShape: BatchShapes): void {}

  /** Computes the result. */
  abstract call(inputs: Tensors, options: CallOptions): Tensors;

  /** The shape of the result for inputs of this shape; the same unless a class says otherwise. */
  computeOutputShape(inputShape: BatchShapes): BatchShapes {
    return inputShape;
  }

  /** The dtype of the result for inputs of this dtype. */
  computeOutputDType(inputDType: DType): DType {
    return dtypes[inputDType].isFloat ? this.dtype : inputDType;
  }

  /**
   * The mask of the result; null where every step counts. `inputMask` is that of the input; of a list it is what all masks
   * let through.
   */
  computeMask(_inputs: Tensors, inputMask: Tensor | null): Tensor | null {
    return this.supportsMasking ? inputMask : null;
  }

  /** What the constructor takes to make this layer again. */
  getConfig(): Record<string, unknown> {
    const { name, dtype, trainable } = this;
    const inputShape = this.batchInputShape?.slice(1);
    return { name, dtype, trainable, ...(inputShape ? { inputShape } : {}) };
  }

  /** A layer made from its configuration. */
  // boundary: each class takes its own configuration
  static fromConfig<L>(this: new (config: any) => L, config: Readonly<Record<string, unknown>>): L {
    return new this(config);
  }

  // --- calling

  /**
   * The result for a tensor, or for a list where the layer merges; symbolic tensors give symbolic tensors.
   * @throws E_SHAPE where the input does not fit; the error's `layer` names the path of layers
   */
  apply<const X extends LayerInput>(x: Checked<R, X>, options: CallOptions = {}): Applied<R, X> {
    checkOptions(this.name, options, ["training", "mask"]);
    // boundary: the rule has checked the input, and says what comes out
    return this.applyAny(x as LayerInput, options) as Applied<R, X>;
  }

  private applyAny(x: LayerInput, options: CallOptions): unknown {
    return this.located(() => {
      if (this.isDisposed) throw new MillraceError("E_DISPOSED", `the layer was disposed of`);
      const list = Array.isArray(x) ? (x as readonly unknown[]) : [x];
      if (list.every((one) => one instanceof SymbolicTensor)) return this.applySymbolic(list, Array.isArray(x));
      if (list.every(isTensor)) return this.applyTensors(Array.isArray(x) ? list : list[0]!, options);
      throw new MillraceError(
        "E_ARGUMENT",
        `layer "${this.name}" takes tensors, or symbolic tensors, not both or neither`,
      );
    });
  }

  /** Runs `call` on tensors; for models, which know that they have tensors. */
  applyTensors(x: Tensors, options: CallOptions): Tensors {
    return this.located(() => {
      const shapes: BatchShapes = isList(x) ? x.map(shapeOf) : shapeOf(x);
      this.buildFor(shapes);
      return isTraining.during(options.training ?? isTraining.now(), () => {
        const inputs = this.autocast ? mapTensors(x, (one) => this.castInput(one)) : x;
        const mask = options.mask ?? commonMask(listOf(x).map(maskOf));
        const made = inScope(this.name, () => this.call(inputs, { mask, training: isTraining.now() }));
        markLayer(this.name, listOf(made));
        setMask(listOf(made)[0]!, this.computeMask(x, mask));
        return made;
      });
    });
  }

  private castInput(x: Tensor): Tensor {
    const dtype: DType = x.dtype;
    if (!dtypes[dtype].isFloat || dtype === this.dtype) return x;
    const made: Tensor = cast(x, this.dtype);
    setMask(made, maskOf(x));
    return made;
  }

  private applySymbolic(inputs: readonly SymbolicTensor[], isList: boolean): SymbolicTensor | SymbolicTensor[] {
    const shapes: BatchShapes = isList ? inputs.map((x) => x.shape) : inputs[0]!.shape;
    this.buildFor(shapes);
    const outShapes = this.computeOutputShape(shapes);
    const dtype = this.computeOutputDType(inputs[0]!.dtype);
    const outputs: SymbolicTensor[] = [];
    const source: LayerCall = { layer: this, inputs, isList, outputs };
    for (const shape of isShapeList(outShapes) ? outShapes : [outShapes]) {
      outputs.push(new SymbolicTensor(shape, dtype, this.name, source));
    }
    return isShapeList(outShapes) ? outputs : outputs[0]!;
  }

  /** Builds the layer for inputs of this shape if it is not built, and checks the shape. */
  buildFor(shapes: BatchShapes): void {
    this.checkShape(shapes);
    if (this.builtFor) return;
    this.build(shapes);
    this.builtFor = isShapeList(shapes) ? shapes.map(anyBatch) : anyBatch(shapes);
    this.checkShape(shapes);
  }

  private checkShape(shapes: BatchShapes): void {
    if (this.inputSpec) checkInput(this.name, this.className, this.inputSpec, shapes);
  }

  /** Whether the weights are there. */
  get built(): boolean {
    return this.builtFor !== null;
  }

  /**
   * The shape of the input that the weights were made for, of any batch size; null before.
   * @internal
   */
  get builtShape(): BatchShapes | null {
    return this.builtFor;
  }

  /** Runs `f`; an error that leaves it carries the path of layers to where it happened. */
  protected located<T>(f: () => T): T {
    try {
      return f();
    } catch (error) {
      if (isMillraceError(error)) {
        const inner = error.layer === undefined || error.layer === this.name ? "" : `/${error.layer}`;
        const path = error.layer?.split("/")[0] === this.name ? error.layer : `${this.name}${inner}`;
        Object.defineProperty(error, "layer", { value: path, configurable: true, enumerable: true, writable: true });
      }
      throw error;
    }
  }

  // --- weights

  /** Makes a weight. Call it in `build`, since a function that is being traced makes no variables. */
  protected addWeight(options: WeightOptions): Variable {
    const weight = makeWeight(this.name, this.dtype, options);
    this.ownWeights.push(weight);
    structure.version++;
    return weight.variable;
  }

  /** Adds a scalar to the loss of the training step that is being computed. Call it in `call`. */
  protected addLoss(loss: Tensor): void {
    reportLoss(loss);
  }

  /** The layers inside this one: those that are its properties, alone or in lists. */
  get layers(): readonly Layer[] {
    return Object.values(this)
      .flat()
      .filter((value): value is Layer => value instanceof Layer);
  }

  /** This layer and all inside it, each once. */
  allLayers(): Layer[] {
    const found = new Set<Layer>();
    const visit = (layer: Layer): void => {
      if (found.has(layer)) return;
      found.add(layer);
      for (const inner of layer.layers) visit(inner);
    };
    visit(this);
    return [...found];
  }

  /** Whether optimizers change the weights; setting it sets it for the layers inside too. */
  get trainable(): boolean {
    return this.isTrainable;
  }
  set trainable(value: boolean) {
    for (const layer of this.allLayers()) layer.isTrainable = value;
    structure.version++;
  }

  /** The weights that optimizers change. */
  get trainableWeights(): Variable[] {
    return this.weightsWhere((weight, layer) => weight.trainable && layer.isTrainable);
  }
  /** The weights that optimizers leave alone, such as moving means. */
  get nonTrainableWeights(): Variable[] {
    return this.weightsWhere((weight, layer) => !(weight.trainable && layer.isTrainable));
  }
  /** All weights, layer by layer. */
  get weights(): Variable[] {
    return this.weightsWhere(() => true);
  }

  /**
   * The weights of this layer itself, without those of layers inside.
   * @internal
   */
  get ownVariables(): Variable[] {
    return this.sortedWeights().map((weight) => weight.variable);
  }

  /** Own weights in Keras's order: trainable ones first. Frozen layers keep that order. */
  private sortedWeights(): Weight[] {
    return [...this.ownWeights].sort((a, b) => Number(b.trainable) - Number(a.trainable));
  }

  private weightsWhere(wanted: (weight: Weight, layer: Layer) => boolean): Variable[] {
    return this.allLayers().flatMap((layer) =>
      layer
        .sortedWeights()
        .filter((weight) => wanted(weight, layer))
        .map((weight) => weight.variable),
    );
  }

  /** The penalties that regularizers put on weights now. */
  regularizationLosses(): Tensor[] {
    return this.allLayers().flatMap((layer) =>
      layer.ownWeights.flatMap(({ regularizer, variable }) => (regularizer ? [regularizer.apply(variable)] : [])),
    );
  }

  /** The number of elements of all weights. Throws E_VARIABLE before the layer is built. */
  countParams(): number {
    if (!this.built)
      throw new MillraceError("E_VARIABLE", `countParams: "${this.name}" has no weights before it is built`);
    return this.weights.reduce((n, w) => n + (countOf(w.shape) ?? 0), 0);
  }

  /** The values of the weights now, in the order of `weights`. The tensors are the caller's. */
  getWeights(): Tensor[] {
    return this.weights.map((w) => w.read());
  }

  /** Sets the weights, in the order of `weights`. Throws E_SHAPE, and sets none, where one does not fit. */
  setWeights(values: readonly WeightValue[]): void {
    assignAll(this.name, this.weights, values);
  }

  /** Gives the memory of the weights back; the layer cannot be used after that. */
  dispose(): void {
    for (const layer of this.allLayers()) {
      if (layer.isDisposed) continue;
      layer.isDisposed = true;
      for (const { variable } of layer.ownWeights) variable.dispose();
    }
  }
}

function anyBatch(shape: BatchShape): BatchShape {
  return shape.map((size, axis) => (axis === 0 ? null : size));
}

/** What a model gives the layers in it: masks go with tensors there. */
export function forInner(inputs: Tensors, { mask, ...options }: CallOptions): [inputs: Tensors, options: CallOptions] {
  if (!mask || isList(inputs) || maskOf(inputs) === mask) return [inputs, options];
  const own: Tensor = inputs.clone();
  setMask(own, mask);
  return [own, options];
}

const listOf = (x: Tensors): readonly Tensor[] => (isList(x) ? x : [x]);

export function isList(x: Tensors): x is readonly Tensor[] {
  return Array.isArray(x);
}

export function mapTensors(x: Tensors, f: (one: Tensor) => Tensor): Tensors {
  return isList(x) ? x.map(f) : f(x);
}

/** The one tensor that a layer was given. */
export function one(who: string, x: Tensors): Tensor {
  if (!isList(x)) return x;
  if (x.length === 1) return x[0]!;
  throw new MillraceError("E_ARGUMENT", `${who}: takes one tensor, got a list of ${x.length}`);
}
