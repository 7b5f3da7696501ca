import {
  type Arg,
  concat,
  type DType,
  dispose,
  getLogger,
  MillraceError,
  type NamedFunction,
  type Tensor,
  tidy,
} from "@millrace/autodiff";
import { didYouMean } from "@millrace/autodiff/support";
import type { Logs } from "../callbacks/callback.js";
import type { History } from "../callbacks/history.js";
import type { Optimizer } from "../optimizers/optimizer.js";
import {
  type LoadWeightsOptions,
  loadWeights,
  type ModelSource,
  modelBytes,
  type SaveOptions,
  saveModel,
  saveWeights,
} from "../saving/index.js";
import { isList, Layer, type Tensors } from "../topology/layer.js";
import { type SummaryRow, summaryLines } from "../topology/summary.js";
import { isTensor } from "../topology/weights.js";
import type { Applied, LayerRule, OutShape, SizesOf } from "../types.js";
import { checkWhole, complete, type Defaults } from "../util/options.js";
import { type Signal, throwIfAborted } from "../util/platform.js";
import { type BatchShape, isShapeList } from "../util/shapes.js";
import {
  type BatchSource,
  type BatchSpec,
  type BatchValue,
  batchSizeOf,
  type InputSource,
  isBatchSource,
  leavesOf,
  rows,
  sourceSteps,
  wholeOf,
} from "./batch.js";
import { Compiled, type CompileOptions } from "./compiled.js";
import { concreteFunctions } from "./concrete.js";
import { type EvaluateOptions, evaluate, type FitOptions, fit, onBatch, type Trainee } from "./fit.js";
import { inputOf, ModelFunctions } from "./functions.js";

/**
 * Whole tensors that a model can be given: one, several in order, or several by name.
 * @public
 */
export type ModelInput = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** A parameter for a model's input, checked by its rule where it is tensors. */
export type ModelArg<R extends LayerRule, X> = Arg<
  X extends Tensor | readonly Tensor[] ? OutShape<R, SizesOf<X>> : unknown,
  X
>;

/** What follows the first argument: labels and options after tensors, options after a source of batches. */
export type AfterInput<X, Options> = X extends BatchSource ? [options?: Options] : [y?: BatchValue, options?: Options];

/** What `predict` gives: tensors at once for tensors, a promise of them for a source of batches. */
export type Predicted<R extends LayerRule, X> = X extends Tensor | readonly Tensor[]
  ? Applied<R, X>
  : X extends BatchSource | InputSource
    ? Promise<Applied<R, Tensor>>
    : Applied<R, Tensor>;

/**
 * Options of `predict`.
 * @public
 */
export interface PredictOptions {
  /** Samples a run; 32 unless said. */
  readonly batchSize?: number;
  /** Batches of a source, where that is not all. */
  readonly steps?: number | null;
  readonly signal?: Signal | null;
}
const predictDefaults: Defaults<PredictOptions> = { batchSize: 32, steps: null, signal: null };

/**
 * Options of `summary`.
 * @public
 */
export interface SummaryOptions {
  /** Takes each line; the logger's `info` unless said. */
  readonly printFn?: ((line: string) => void) | null;
}
const summaryDefaults: Defaults<SummaryOptions> = { printFn: null };

/**
 * Layers that are trained together. Made by `tf.sequential` and `tf.model`, or by a subclass whose layers are its
 * properties and whose `call` applies them.
 * @public
 */
// boundary: a bare Model has any rule
export abstract class Model<R extends LayerRule = any> extends Layer<R> {
  /** Set to true, it ends training after the present step; `fit` then resolves. */
  stopTraining = false;
  protected override readonly autocast: boolean = false;
  private compiled: Compiled | null = null;
  private readonly functions: ModelFunctions = new ModelFunctions(this);

  /** The names that a record of inputs is read by. */
  get inputNames(): readonly string[] {
    return ["input"];
  }
  /** The names of the outputs, in order. */
  get outputNames(): readonly string[] {
    return ["output"];
  }
  /** The shapes of the inputs, batch axis first; null before they are known. */
  get inputShapes(): readonly BatchShape[] | null {
    return null;
  }
  /** The dtypes of the inputs, where they are known; float32 else. */
  get inputDTypes(): readonly DType[] {
    return [];
  }
  /** The optimizer that `compile` was given; null before. */
  get optimizer(): Optimizer | null {
    return this.compiled?.optimizer ?? null;
  }

  /**
   * What `compile` was given, with the optimizer that it made; null before.
   * @internal
   */
  get compileOptions(): (CompileOptions & { readonly optimizer: Optimizer }) | null {
    return this.compiled && { ...this.compiled.options, optimizer: this.compiled.optimizer };
  }

  /** Says how the model is trained. Its weights stay. */
  compile(options: CompileOptions): void {
    const compiled = new Compiled(options, this.outputNames);
    this.compiled?.dispose();
    this.compiled = compiled;
    this.functions.forget();
  }

  /**
   * Trains the model on whole tensors with labels, or on a source of batches. Each step is one program.
   * @returns the numbers of every epoch: loss, the metrics, and the same with `val_` for validation data
   * @throws E_ARGUMENT before compile, E_SHAPE where data does not fit, E_EXHAUSTED where a source ends too soon, the
   * signal's reason where it aborts
   * @example await model.fit(xs, ys, { epochs: 5, batchSize: 64, validationSplit: 0.1 });
   */
  fit<const X extends ModelInput | BatchSource>(
    x: ModelArg<R, X>,
    ...rest: AfterInput<X, FitOptions>
  ): Promise<History> {
    const [y, options] = afterInput<FitOptions>(x, rest);
    return this.whenCompiled("fit", (trainee) => fit(trainee, x, y, options));
  }

  /**
   * Loss and metrics on whole tensors with labels, or on a source of batches.
   * @example const { loss, accuracy } = await model.evaluate(xs, ys);
   */
  evaluate<const X extends ModelInput | BatchSource>(
    x: ModelArg<R, X>,
    ...rest: AfterInput<X, EvaluateOptions>
  ): Promise<Logs> {
    const [y, options] = afterInput<EvaluateOptions>(x, rest);
    return this.whenCompiled("evaluate", (trainee) => evaluate(trainee, x, y, options));
  }

  /** One training step; resolves to the numbers of this batch. */
  trainOnBatch<const X extends ModelInput>(
    x: ModelArg<R, X>,
    y?: BatchValue,
    sampleWeight?: BatchValue,
  ): Promise<Logs> {
    return this.whenCompiled("trainOnBatch", (trainee) => {
      // boundary: the rule has checked the input
      return onBatch(trainee, wholeOf(x as BatchValue, y, sampleWeight, trainee.spec()), true);
    });
  }

  /** The numbers of one batch, without training. */
  testOnBatch<const X extends ModelInput>(x: ModelArg<R, X>, y?: BatchValue, sampleWeight?: BatchValue): Promise<Logs> {
    return this.whenCompiled("testOnBatch", (trainee) => {
      // boundary: the rule has checked the input
      return onBatch(trainee, wholeOf(x as BatchValue, y, sampleWeight, trainee.spec()), false);
    });
  }

  /**
   * The outputs for tensors at once, `batchSize` samples a run; for a source of batches, or of inputs alone, a promise of all of them.
   * @example const probabilities = model.predict(xs);
   */
  predict<const X extends ModelInput | BatchSource | InputSource>(
    x: ModelArg<R, X>,
    options: PredictOptions = {},
  ): Predicted<R, X> {
    const { batchSize, steps, signal } = complete("predict", options, predictDefaults);
    checkWhole("predict", "batchSize", batchSize);
    // boundary: Predicted says what comes out for what came in
    if (isBatchSource(x)) return this.predictSource(x, steps, signal) as Predicted<R, X>;
    throwIfAborted(signal);
    const xs = leavesOf(x as BatchValue, "predict", this.inputNames).map((leaf) => {
      if (isTensor(leaf)) return leaf;
      throw new MillraceError("E_ARGUMENT", "predict: takes tensors, or a source of batches");
    });
    return this.located(() => this.predictTensors(xs, batchSize)) as Predicted<R, X>;
  }

  private predictTensors(xs: readonly Tensor[], batchSize: number): Tensors {
    // Inside a function that is being traced there are no sizes to cut by.
    if (xs.some((x) => typeof x.shape[0] !== "number")) return this.applyTensors(inputOf(xs), { training: false });
    const size = batchSizeOf(xs);
    const shapes = xs.map((x) => [null, ...x.shape.slice(1)]);
    this.buildFor(shapes.length === 1 ? shapes[0]! : shapes);
    this.buildInner(xs);
    if (size <= batchSize) return this.functions.predict(inputOf(xs));
    return tidy(() => {
      const parts: Tensors[] = [];
      for (let start = 0; start < size; start += batchSize) {
        const cut = xs.map((x) => rows(x, start, Math.min(size, start + batchSize)));
        parts.push(this.functions.predict(inputOf(cut)));
        dispose(cut);
      }
      return joined(parts);
    });
  }

  /** A model of one's own makes its layers' weights when it is called, which a traced function cannot. */
  private buildInner(xs: readonly Tensor[]): void {
    if (this.allLayers().every((layer) => layer.built)) return;
    tidy(() => void this.applyTensors(inputOf(xs), { training: false }));
  }

  private async predictSource(source: BatchSource, steps: number | null, signal: Signal | null): Promise<Tensors> {
    const parts: Tensors[] = [];
    let whole: Tensors | null = null;
    try {
      for await (const step of sourceSteps(source, () => this.spec(), steps).open(signal)) {
        try {
          throwIfAborted(signal);
          parts.push(this.located(() => this.predictTensors(step.xs, step.size || 1)));
        } finally {
          dispose(step.owned);
        }
        // An abort cancels what runs.
        if (signal) await [parts.at(-1)!].flat()[0]!.data({ signal });
      }
      whole = joined(parts);
      return whole;
    } finally {
      dispose(parts.filter((part) => part !== whole));
    }
  }

  /** The layer of this name or place. Throws E_ARGUMENT. */
  getLayer(nameOrIndex: string | number): Layer {
    const { layers } = this;
    const found = typeof nameOrIndex === "number" ? layers.at(nameOrIndex) : layers.find((l) => l.name === nameOrIndex);
    if (found) return found;
    const names = layers.map((layer) => layer.name);
    const hint = typeof nameOrIndex === "string" ? didYouMean(nameOrIndex, names) : ` among ${names.length}`;
    throw new MillraceError("E_ARGUMENT", `model "${this.name}" has no layer ${JSON.stringify(nameOrIndex)}${hint}`);
  }

  /** Writes a table of the layers, their shapes and numbers of weights. */
  summary(options: SummaryOptions = {}): void {
    const { printFn } = complete("summary", options, summaryDefaults);
    const print = printFn ?? ((line: string) => getLogger().info(line));
    const optimizer = this.compiled?.optimizer.stateVariables ?? [];
    const weights = { trainable: this.trainableWeights, frozen: this.nonTrainableWeights, optimizer };
    for (const line of summaryLines(this.name, this.summaryRows(), weights)) print(line);
  }

  /** The rows of the table. */
  summaryRows(): SummaryRow[] {
    return this.layers.map((layer) => ({ layer, outputShape: null, connectedTo: null }));
  }

  /**
   * The model as graphs with names, for any batch size: what savers, converters and servers take. The weights are the
   * model's own, so training it further changes what they see.
   * @throws E_ARGUMENT where the model has no input shape yet
   */
  toConcreteFunctions(): readonly NamedFunction[] {
    return this.located(() => concreteFunctions(this));
  }

  /**
   * Writes the model to a file that Keras 3 and `tf.loadModel` read: layers, weights, and where it is compiled how, with the
   * optimizer's state. The file is written whole or not at all.
   * @param path ends in .keras
   * @throws E_VARIABLE before the model is built, E_FILE where the file cannot be written, the signal's reason where it
   * aborts
   * @example await model.save("digits.keras");
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    await saveModel(this, path, options);
  }

  /**
   * The bytes of the file that `save` writes, for browsers and for storage of one's own.
   * @example const again = await tf.loadModel(await model.toBytes());
   */
  async toBytes(): Promise<Uint8Array> {
    return modelBytes(this);
  }

  /**
   * Writes the weights alone, and the optimizer's state where the model is compiled, to a file that Keras 3 reads too.
   * @param path ends in .weights.h5
   * @throws as `save`
   * @example await model.saveWeights("digits.weights.h5");
   */
  async saveWeights(path: string, options: SaveOptions = {}): Promise<void> {
    await saveWeights(this, path, options);
  }

  /**
   * Sets the weights, and the optimizer's state where the model is compiled, from a file that `saveWeights` or Keras 3 wrote
   * for a model of the same layers. All are set or none.
   * @throws E_FORMAT where the file is damaged or fits another model, E_FILE where it cannot be read
   * @example await model.loadWeights("digits.weights.h5");
   */
  async loadWeights(source: ModelSource, options: LoadWeightsOptions = {}): Promise<void> {
    await loadWeights(this, source, options);
  }

  override dispose(): void {
    super.dispose();
    this.functions.dispose();
    this.compiled?.dispose();
    this.compiled = null;
  }

  /** Layers were added or removed: what was traced no longer holds. */
  protected forgetFunctions(): void {
    this.functions.forget();
  }

  /** Refuses two layers of one name: files and errors tell layers by it. */
  protected checkNames(): void {
    const seen = new Set<string>();
    for (const { name } of this.layers) {
      if (seen.has(name)) throw new MillraceError("E_ARGUMENT", `model "${this.name}" has two layers named "${name}"`);
      seen.add(name);
    }
  }

  private spec(): BatchSpec {
    const { inputNames, inputShapes, outputNames } = this;
    const outputs = inputShapes && this.computeOutputShape(inputShapes.length === 1 ? inputShapes[0]! : inputShapes);
    const outputShapes = outputs && (isShapeList(outputs) ? outputs : [outputs]);
    return { inputNames, inputShapes, outputNames, outputShapes };
  }

  /** Rejects where the model is not compiled; errors name the model. */
  private async whenCompiled<T>(what: string, f: (trainee: Trainee) => Promise<T>): Promise<T> {
    const { compiled, functions } = this;
    if (!compiled) {
      throw new MillraceError(
        "E_ARGUMENT",
        `${what}: compile the model first: model.compile({ optimizer: "adam", loss: … })`,
      );
    }
    return f({ model: this, compiled, functions, spec: () => this.spec() });
  }
}

/** The outputs of batches as one. A single part is given as it is. */
function joined(parts: readonly Tensors[]): Tensors {
  const [first] = parts;
  if (first === undefined) throw new MillraceError("E_EXHAUSTED", "predict: the source gave no batch");
  if (parts.length === 1) return first;
  if (!isList(first)) return concat(parts as readonly Tensor[], 0);
  return first.map(
    (_, i) =>
      concat(
        parts.map((part) => (part as readonly Tensor[])[i]!),
        0,
      ) as Tensor,
  );
}

function afterInput<Options>(x: unknown, rest: readonly unknown[]): [BatchValue | undefined, Options] {
  // boundary: the types of the rest follow from that of the input
  const [y, options] = isBatchSource(x) ? [undefined, rest[0]] : rest;
  return [y as BatchValue | undefined, (options ?? {}) as Options];
}
