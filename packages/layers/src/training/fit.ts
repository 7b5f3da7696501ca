// The training loop, and its smaller relatives.
import { dispose, MillraceError, randomUniformInt, type Tensor, tidy } from "@millrace/autodiff";
import { CallbackList, type Logs } from "../callbacks/callback.js";
import { History } from "../callbacks/history.js";
import { type CallbackLike, callbacksOf } from "../callbacks/lambda.js";
import { ProgbarLogger, resolveVerbosity, type Verbosity } from "../callbacks/progress.js";
import { type Complete, checkRange, checkWhole, complete, type Defaults } from "../util/options.js";
import { type Signal, throwIfAborted, yieldToEvents } from "../util/platform.js";
import { RandomStream } from "../util/random.js";
import {
  type BatchSource,
  type BatchSpec,
  type BatchValue,
  isBatchSource,
  rowsOf,
  type Step,
  type StepSource,
  sourceSteps,
  type Whole,
  wholeOf,
  wholeSteps,
} from "./batch.js";
import type { Compiled } from "./compiled.js";
import type { ModelFunctions } from "./functions.js";
import type { Model } from "./model.js";

/**
 * Options of `fit`.
 * @public
 */
export interface FitOptions {
  /** How often all data is gone through; 1 unless said. */
  readonly epochs?: number;
  /** Samples a step, for whole tensors; 32 unless said. A source of batches has its own. */
  readonly batchSize?: number | null;
  /** What the model is tested on after each epoch: a source of batches, or `[xs, ys, sampleWeight]`. */
  readonly validationData?: BatchSource | readonly [xs: BatchValue, ys: BatchValue, sampleWeight?: BatchValue] | null;
  /** The share of whole tensors, taken from their end, that is kept from training and tested on. */
  readonly validationSplit?: number;
  /** Whether whole tensors are shuffled for each epoch; true unless said. */
  readonly shuffle?: boolean;
  /** Callbacks, or plain objects of their hooks. */
  readonly callbacks?: CallbackLike | readonly CallbackLike[];
  readonly verbose?: Verbosity;
  /**
   * Aborts: the promise rejects with its reason, the step that runs is cancelled, weights are as after the last whole
   * one. Each step is awaited then before the next is begun.
   */
  readonly signal?: Signal | null;
  /** Batches an epoch, where that is not all a source has. */
  readonly stepsPerEpoch?: number | null;
  /** Batches of a validation source that are tested on, where that is not all. */
  readonly validationSteps?: number | null;
  /** The number that the first epoch has, for training that goes on. */
  readonly initialEpoch?: number;
  /** How much each sample of whole tensors counts. */
  readonly sampleWeight?: BatchValue | null;
}

const fitDefaults: Defaults<FitOptions> = {
  epochs: 1,
  batchSize: null,
  validationData: null,
  validationSplit: 0,
  shuffle: true,
  callbacks: [],
  verbose: "auto",
  signal: null,
  stepsPerEpoch: null,
  validationSteps: null,
  initialEpoch: 0,
  sampleWeight: null,
};

/**
 * Options of `evaluate`.
 * @public
 */
export interface EvaluateOptions {
  readonly batchSize?: number;
  readonly sampleWeight?: BatchValue | null;
  /** Batches that are tested on, where that is not all a source has. */
  readonly steps?: number | null;
  readonly callbacks?: CallbackLike | readonly CallbackLike[];
  readonly signal?: Signal | null;
  /** 0 is silent, which is the default. */
  readonly verbose?: Verbosity;
}

const evaluateDefaults: Defaults<EvaluateOptions> = {
  batchSize: 32,
  sampleWeight: null,
  steps: null,
  callbacks: [],
  signal: null,
  verbose: 0,
};

/** What the loops need of a model. */
export interface Trainee {
  readonly model: Model;
  readonly compiled: Compiled;
  readonly functions: ModelFunctions;
  readonly spec: () => BatchSpec;
}

/** Trains. See `Model.fit`. */
export async function fit(
  trainee: Trainee,
  x: unknown,
  y: BatchValue | undefined,
  options: FitOptions,
): Promise<History> {
  const all = complete("fit", options, fitDefaults);
  checkWhole("fit", "epochs", all.epochs, 0);
  checkRange("fit", "validationSplit", all.validationSplit, 0, 1);
  throwIfAborted(all.signal);
  const data = await trainingData(trainee, x, y, all);
  try {
    return await run(trainee, data, all);
  } finally {
    for (const whole of data.made) dispose(whole.owned);
  }
}

interface TrainingData {
  readonly train: StepSource;
  readonly validation: StepSource | null;
  /** What is freed in the end. */
  readonly made: readonly Whole[];
}

async function trainingData(
  trainee: Trainee,
  x: unknown,
  y: BatchValue | undefined,
  options: Complete<FitOptions>,
): Promise<TrainingData> {
  const { spec } = trainee;
  const { batchSize, stepsPerEpoch, validationSplit, shuffle, sampleWeight } = options;
  const made: Whole[] = [];
  try {
    const validation = validationSource(trainee, options, made);
    if (isBatchSource(x)) {
      const refused = [
        ["batchSize", batchSize !== null],
        ["validationSplit", validationSplit > 0],
        ["sampleWeight", sampleWeight !== null],
      ] as const;
      const [bad] = refused.find(([, given]) => given) ?? [];
      if (bad)
        throw new MillraceError("E_ARGUMENT", `fit: ${bad} is for whole tensors; a source of batches has its own`);
      return { train: sourceSteps(x, spec, stepsPerEpoch), validation, made };
    }
    if (stepsPerEpoch !== null) throw new MillraceError("E_ARGUMENT", "fit: stepsPerEpoch is for sources of batches");
    checkWhole("fit", "batchSize", batchSize ?? 32);
    // boundary: what is no source is tensors, which wholeOf checks
    const whole = wholeOf(x as BatchValue, y, sampleWeight ?? undefined, spec());
    made.push(whole);
    let train = whole;
    let held = validation;
    if (validationSplit > 0 && !validation) {
      const at = Math.floor(whole.size * (1 - validationSplit));
      if (at === 0 || at === whole.size) {
        throw new MillraceError(
          "E_ARGUMENT",
          `fit: validationSplit ${validationSplit} of ${whole.size} samples leaves one side empty`,
        );
      }
      const [front, back] = tidy(() => [rowsOf(whole, 0, at), rowsOf(whole, at, whole.size)] as const);
      made.push(front, back);
      train = front;
      held = wholeSteps(back, batchSize ?? 32, null);
    }
    const order = shuffle ? await shuffled(train.size) : null;
    return { train: wholeSteps(train, batchSize ?? 32, order), validation: held, made };
  } catch (error) {
    for (const whole of made) dispose(whole.owned);
    throw error;
  }
}

/** A new order of samples for each epoch, from the default generator: tf.setRandomSeed determines it. */
async function shuffled(size: number): Promise<() => Int32Array> {
  const drawn: Tensor = tidy(() => randomUniformInt([1], 0, 2 ** 31 - 1));
  const [seed = 0] = await drawn.data();
  drawn.dispose();
  const stream = new RandomStream(Number(seed));
  return () => stream.permutation(size);
}

function validationSource(trainee: Trainee, options: Complete<FitOptions>, made: Whole[]): StepSource | null {
  const { validationData, validationSteps, batchSize } = options;
  if (validationData === null) return null;
  const spec = trainee.spec();
  if (isTensorTuple(validationData, spec.inputNames.length)) {
    const whole = wholeOf(validationData[0], validationData[1], validationData[2], spec);
    made.push(whole);
    return wholeSteps(whole, batchSize ?? 32, null);
  }
  return sourceSteps(validationData, trainee.spec, validationSteps);
}

type TensorTuple = readonly [xs: BatchValue, ys: BatchValue, sampleWeight?: BatchValue];

/**
 * Whether validation data is `[xs, ys]`, not a list of batches. A batch has `xs`, or is a tuple itself; lists of lists are
 * batches, unless the model takes several inputs, which such a list can be.
 */
function isTensorTuple(data: BatchSource | TensorTuple, inputs: number): data is TensorTuple {
  if (!Array.isArray(data) || data.length < 1 || data.length > 3) return false;
  const [first, second] = data as readonly unknown[];
  if (typeof first !== "object" || first === null) return false;
  if (!isBatchSource([first])) return true;
  if (Array.isArray(first)) return !Array.isArray(second) || inputs > 1;
  return !("xs" in first);
}

async function run(trainee: Trainee, data: TrainingData, options: Complete<FitOptions>): Promise<History> {
  const { model, compiled } = trainee;
  const { epochs, initialEpoch, signal } = options;
  const verbose = resolveVerbosity(options.verbose);
  const history = new History();
  const given = callbacksOf(options.callbacks);
  const params = { epochs, steps: data.train.steps, verbose };
  const callbacks = new CallbackList(
    [...given, ...(verbose === 0 ? [] : [new ProgbarLogger()]), history],
    model,
    params,
  );
  model.stopTraining = false;
  await callbacks.call("onTrainBegin");
  let logs: Logs = {};
  for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
    throwIfAborted(signal);
    await callbacks.call("onEpochBegin", epoch);
    compiled.reset();
    params.steps = (await trainEpoch(trainee, data.train, callbacks, signal)) ?? params.steps;
    logs = await compiled.read();
    if (data.validation) logs = { ...logs, ...prefixed(await testAll(trainee, data.validation, callbacks, signal)) };
    await callbacks.call("onEpochEnd", epoch, logs);
  }
  await callbacks.call("onTrainEnd", logs);
  return history;
}

/** Goes through the data once. Returns how many batches there were, or null where training was stopped on the way. */
async function trainEpoch(
  trainee: Trainee,
  source: StepSource,
  callbacks: CallbackList,
  signal: Signal | null,
): Promise<number | null> {
  const { model, compiled, functions } = trainee;
  const breath = new Breath();
  let batch = 0;
  for await (const step of source.open(signal)) {
    try {
      throwIfAborted(signal);
      await callbacks.call("onTrainBatchBegin", batch);
      functions.train(compiled, step);
    } finally {
      dispose(step.owned);
    }
    await compiled.settled(signal);
    await callbacks.call("onTrainBatchEnd", batch++, () => compiled.read());
    if (model.stopTraining) return null;
    await breath.take();
  }
  return batch;
}

/** Tests the model on all batches. */
async function testAll(
  trainee: Trainee,
  source: StepSource,
  callbacks: CallbackList,
  signal: Signal | null,
): Promise<Logs> {
  const { compiled, functions } = trainee;
  const breath = new Breath();
  compiled.reset();
  await callbacks.call("onTestBegin");
  let batch = 0;
  for await (const step of source.open(signal)) {
    try {
      throwIfAborted(signal);
      await callbacks.call("onTestBatchBegin", batch);
      functions.test(compiled, step);
    } finally {
      dispose(step.owned);
    }
    await compiled.settled(signal);
    await callbacks.call("onTestBatchEnd", batch++, () => compiled.read());
    await breath.take();
  }
  const logs = await compiled.read();
  await callbacks.call("onTestEnd", logs);
  return logs;
}

/** Tests. See `Model.evaluate`. */
export async function evaluate(
  trainee: Trainee,
  x: unknown,
  y: BatchValue | undefined,
  options: EvaluateOptions,
): Promise<Logs> {
  const { batchSize, sampleWeight, steps, callbacks, signal, verbose } = complete(
    "evaluate",
    options,
    evaluateDefaults,
  );
  checkWhole("evaluate", "batchSize", batchSize);
  throwIfAborted(signal);
  const made: Whole[] = [];
  try {
    let source: StepSource;
    if (isBatchSource(x)) source = sourceSteps(x, trainee.spec, steps);
    else {
      // boundary: what is no source is tensors, which wholeOf checks
      const whole = wholeOf(x as BatchValue, y, sampleWeight ?? undefined, trainee.spec());
      made.push(whole);
      source = wholeSteps(whole, batchSize, null);
    }
    const params = { epochs: 1, steps: source.steps, verbose: resolveVerbosity(verbose) };
    const list = new CallbackList(callbacksOf(callbacks), trainee.model, params);
    return await testAll(trainee, source, list, signal);
  } finally {
    for (const whole of made) dispose(whole.owned);
  }
}

/** One step on one batch; the numbers of this batch alone. */
export async function onBatch(trainee: Trainee, step: Step, training: boolean): Promise<Logs> {
  const { compiled, functions } = trainee;
  try {
    functions.prepare(compiled, step);
    compiled.reset();
    if (training) functions.train(compiled, step);
    else functions.test(compiled, step);
  } finally {
    dispose(step.owned);
  }
  return compiled.read();
}

function prefixed(logs: Logs): Logs {
  return Object.fromEntries(Object.entries(logs).map(([name, value]) => [`val_${name}`, value]));
}

/** Lets events run now and then: a loop of awaits that are ready keeps timers, servers and aborts waiting. */
class Breath {
  private last = Date.now();
  async take(): Promise<void> {
    if (Date.now() - this.last < 20) return;
    await yieldToEvents();
    this.last = Date.now();
  }
}
