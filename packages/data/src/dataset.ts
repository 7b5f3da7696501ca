// The dataset that users hold: a lazy sequence of elements, iterated anew each time.

import type { Signal, Tensor } from "@millrace/core";
import * as tf from "@millrace/core";
import { checkOptions, throwIfAborted, untilAborted } from "@millrace/core/support";
import { badArgument, checkFunction } from "./arguments.js";
import { type Element, realize, releaseAll, valueOf } from "./element.js";
import { type DatasetReport, explainStage } from "./explain.js";
import type { Stage } from "./stage.js";
import { StageFunction, type StageFunctionOptions } from "./stage-function.js";
import { type BatchOptions, batchStage } from "./stages/batch.js";
import { cacheStage } from "./stages/cache.js";
import { concatenateStage } from "./stages/concatenate.js";
import { enumerateStage } from "./stages/enumerate.js";
import { filterStage } from "./stages/filter.js";
import { mapStage } from "./stages/map.js";
import { mapAsyncStage } from "./stages/map-async.js";
import { prefetchStage } from "./stages/prefetch.js";
import { repeatStage } from "./stages/repeat.js";
import { type ShuffleOptions, shuffleStage } from "./stages/shuffle.js";
import { skipStage } from "./stages/skip.js";
import { takeStage } from "./stages/take.js";
import { unbatchStage } from "./stages/unbatch.js";
import { join } from "./structure.js";
import type { Batched, ElementSpec, TensorTuple, Unbatched } from "./types.js";

/**
 * What `cardinality()` gives where an iteration never ends.
 * @public
 */
export const INFINITE: number = -1;
/**
 * What `cardinality()` gives where only iterating tells.
 * @public
 */
export const UNKNOWN: number = -2;

/**
 * How a dataset is read to its end.
 * @public
 */
export interface ReadOptions {
  /** Ends the reading, also the wait for an element; the promise rejects with the signal's reason. */
  readonly signal?: Signal;
}

/**
 * Marks the datasets of every copy of this package. The tensors of their elements are made for whoever iterates, so
 * that `fit` knows which batches it may free.
 */
const brand: unique symbol = Symbol.for("millrace.dataset");

/** Elements that `toArray` asks for at once. */
const chunk = 64;

/**
 * A sequence of elements, made when it is iterated, and anew each time. An element is a tensor, any other value, or
 * arrays and plain objects of them. An array of plain numbers counts as one value, as in `tf.tensor`.
 *
 *     const batches = tf.data.fromTensorSlices({ xs, ys }).shuffle(1000, 7).batch(64).prefetch(2);
 *     for await (const { xs, ys } of batches) { … xs.dispose(); ys.dispose(); }
 *
 * Tensors of the elements belong to whoever iterates, `model.fit` frees those of its batches. The tensors that a source
 * is made of stay their owner's: they are read when the source is made. What a function or generator gives becomes the
 * pipeline's if it was made during the iteration; a tensor that was there before is copied.
 *
 * A function that fails rejects the iteration with E_DATA, or with its own code if it is a Millrace error; the message
 * names the stage, and `cause` is the error. Leaving a loop early closes every stage, and frees what they hold.
 * @public
 */
export class Dataset<out T> implements AsyncIterable<T> {
  /** @internal */
  readonly stage: Stage;

  /** @internal Datasets are made by `tf.data.array`, `fromTensorSlices` and their like. */
  constructor(stage: Stage) {
    this.stage = stage;
  }

  // ---- iterating --------------------------------------------------------------------------------------------------

  /** A new iteration. `for await` calls this; leaving the loop early ends it. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return valuesOf<T>(this.stage, 1);
  }

  /**
   * Calls `f` with each element, and awaits what it returns. The element's tensors are the function's to free.
   * @throws the reason of `signal` when it is aborted
   * @example await tf.data.range(3).forEachAsync((i) => console.log(i))
   */
  async forEachAsync(f: (element: T) => unknown, options: ReadOptions = {}): Promise<void> {
    checkFunction("forEachAsync", f);
    checkOptions("forEachAsync", options, ["signal"]);
    for await (const value of valuesOf<T>(this.stage, 1, options.signal)) await f(value);
  }

  /**
   * All elements. Their tensors are the caller's.
   * @throws E_ARGUMENT where the dataset has no end; the reason of `signal` when it is aborted
   * @example tf.data.range(2, 5).toArray() // [2, 3, 4]
   */
  async toArray(options: ReadOptions = {}): Promise<T[]> {
    checkOptions("toArray", options, ["signal"]);
    if (this.cardinality() === INFINITE) throw badArgument("toArray", "the dataset has no end; take(n) of it first");
    const values: T[] = [];
    try {
      for await (const value of valuesOf<T>(this.stage, chunk, options.signal)) values.push(value);
      return values;
    } catch (error) {
      tf.dispose(values);
      throw error;
    }
  }

  /**
   * The number of elements of an iteration, `tf.data.INFINITE`, or `tf.data.UNKNOWN` where only iterating tells.
   * @example tf.data.range(10).batch(4).cardinality() // 3
   */
  cardinality(): number {
    const { size } = this.stage;
    if (size === undefined) return UNKNOWN;
    return size === Number.POSITIVE_INFINITY ? INFINITE : size;
  }

  /**
   * Shape and dtype of each leaf; null is a size that differs. Undefined where only iterating tells: after `map`, and
   * for generators.
   * @example tf.data.range(10).batch(4).elementSpec // { shape: [null], dtype: "float32" }
   */
  get elementSpec(): ElementSpec | undefined {
    const spec = this.stage.spec();
    // boundary: join gives nested arrays and objects of the leaves
    return spec && (join(spec.structure, spec.leaves) as ElementSpec);
  }

  /** The stages from the source on: "Dataset range → shuffle → batch". */
  toString(): string {
    const names: string[] = [];
    for (let at: Stage | undefined = this.stage; at; at = at.inputs[0]) names.unshift(at.name);
    return `Dataset ${names.join(" → ")}`;
  }

  /**
   * What each stage does: whether its function runs as one program or as JavaScript, and which line of yours is the reason.
   * It is decided at the first element, so ask after that. Printed, it is a line for each stage.
   * @example String(tf.data.range(3).shuffle(3).explain()) // "range\nshuffle"
   */
  explain(): DatasetReport {
    return explainStage(this.stage);
  }

  // ---- element by element -----------------------------------------------------------------------------------------

  /**
   * `f` of each element. Tensors that `f` makes on the way are freed, as in `tf.tidy`, and so is the element, except
   * what `f` returns.
   *
   * A function of tensors becomes one program, as in `tf.function`. For that it is called twice with tensors that have no
   * values, and its two graphs are compared, for each kind of element; at sizes that are new it may be called once more.
   * Where it cannot be a program, or would do something else as one, it runs as JavaScript for each element: it reads a
   * value, takes or returns something else than tensors, calls Math.random, a clock or the console, or a counter makes its
   * graphs differ. `explain()` says which. Variables and tf.randomUniform are part of the program, with new values for each
   * element. A number of JavaScript that changes later cannot be seen: keep it in a `tf.variable`, or give
   * `{ trace: false }`.
   * @param options.trace `true` makes `f` a program in any case, `false` runs it as JavaScript
   * @throws E_ASYNC_SCOPE where `f` returns a promise; `mapAsync` takes such functions. With `{ trace: true }` E_ARGUMENT or
   * E_SYNC_READ where `f` cannot be a program
   * @example tf.data.range(3).map((i) => i * i) // [0, 1, 4]
   * @example tf.data.fromTensorSlices([0, 255]).map((x) => x.div(255), { trace: true }) // [0, 1]
   */
  map<U extends TensorTuple>(f: (element: T) => U, options?: StageFunctionOptions): Dataset<U>;
  map<U>(f: (element: T) => U, options?: StageFunctionOptions): Dataset<U>;
  map<U>(f: (element: T) => U, options?: StageFunctionOptions): Dataset<U> {
    return new Dataset(mapStage(this.stage, asStageFunction("map", f, options)));
  }

  /**
   * `f` of each element, awaited one after the other. Tensors that `f` makes and does not return are its own to free;
   * the element is freed except what `f` returns.
   * @example tf.data.range(3).mapAsync(async (i) => i + 1) // [1, 2, 3]
   */
  mapAsync<U extends TensorTuple>(f: (element: T) => PromiseLike<U>): Dataset<U>;
  mapAsync<U>(f: (element: T) => U | PromiseLike<U>): Dataset<U>;
  mapAsync<U>(f: (element: T) => U | PromiseLike<U>): Dataset<U> {
    // boundary: stages give what their types say
    return new Dataset(mapAsyncStage(this.stage, f as (value: unknown) => unknown));
  }

  /**
   * The elements for which `predicate` is true. The rest is freed. A predicate that gives a bool tensor of shape [] becomes
   * a program, as a function of `map` does; one that reads a value cannot.
   * @param options.trace `true` makes the predicate a program in any case, `false` runs it as JavaScript
   * @throws E_ARGUMENT where the function gives no boolean
   * @example tf.data.range(5).filter((i) => i % 2 === 0) // [0, 2, 4]
   * @example tf.data.fromTensorSlices([1, -1, 2]).filter((x) => x.greater(0)) // [1, 2]
   */
  filter<U extends T>(predicate: (element: T) => element is U, options?: StageFunctionOptions): Dataset<U>;
  filter(predicate: (element: T) => boolean | Tensor<[], "bool">, options?: StageFunctionOptions): Dataset<T>;
  filter(predicate: (element: T) => unknown, options?: StageFunctionOptions): Dataset<T> {
    return new Dataset(filterStage(this.stage, asStageFunction("filter", predicate, options)));
  }

  /**
   * Pairs of number and element.
   * @param start the first number, 0 unless given
   * @example tf.data.array(["a", "b"]).enumerate() // [[0, "a"], [1, "b"]]
   */
  enumerate(start = 0): Dataset<[number, T]> {
    return new Dataset(enumerateStage(this.stage, start));
  }

  // ---- together and apart -----------------------------------------------------------------------------------------

  /**
   * `batchSize` elements as one, each leaf a tensor with a new first axis. Slices of a source are copied once, into the
   * batch. Numbers, arrays of numbers and typed arrays become tensors as in `tf.tensor`.
   * @param options.dropRemainder leaves out a last batch that is smaller; `smallLastBatch` is its opposite, and may be given
   * alone, as in TensorFlow.js
   * @throws E_SHAPE, E_DTYPE or E_ARGUMENT while iterating, where elements of a batch differ in shape, dtype or
   * structure
   * @example tf.data.range(5).batch(2) // [[0, 1], [2, 3], [4]]
   */
  batch<E>(this: Dataset<E>, batchSize: number, options?: BatchOptions | boolean): Dataset<Batched<E>> {
    const given = typeof options === "boolean" ? { smallLastBatch: options } : options;
    return new Dataset(batchStage(this.stage, batchSize, given));
  }

  /**
   * The slices of each element along the first axis as elements.
   * @throws E_SHAPE while iterating, where a leaf has no axis or leaves differ in their number of slices
   * @example tf.data.array([[1, 2], [3]]).unbatch() // [1, 2, 3]
   */
  unbatch<E>(this: Dataset<E>): Dataset<Unbatched<E>> {
    return new Dataset(unbatchStage(this.stage));
  }

  /**
   * The elements of this dataset, then those of `other`.
   * @example tf.data.range(2).concatenate(tf.data.range(5, 7)) // [0, 1, 5, 6]
   */
  concatenate<U = T>(other: Dataset<U>): Dataset<T | U> {
    if (!(other instanceof Dataset)) throw badArgument("concatenate", "needs a dataset");
    return new Dataset(concatenateStage(this.stage, other.stage));
  }

  // ---- which and when ---------------------------------------------------------------------------------------------

  /**
   * Elements in random order: each is drawn from a buffer of the next `bufferSize`. A buffer as large as the dataset
   * gives each order the same chance. The order is a function of the seed and the number of the iteration, on every
   * machine.
   * @param seed a whole number, or options with `seed` and `reshuffleEachIteration`; drawn anew unless given
   * @param reshuffleEachIteration whether each iteration has another order; true unless said
   * @example tf.data.range(4).shuffle(4, 7) // [3, 2, 0, 1]
   */
  shuffle(bufferSize: number, seed?: number | ShuffleOptions, reshuffleEachIteration?: boolean): Dataset<T> {
    const options = typeof seed === "object" ? seed : { ...(seed === undefined ? {} : { seed }) };
    const again = reshuffleEachIteration === undefined ? {} : { reshuffleEachIteration };
    return new Dataset(shuffleStage(this.stage, bufferSize, { ...options, ...again }));
  }

  /**
   * The dataset `count` times over, without end where no count is given.
   * @example tf.data.range(2).repeat(2) // [0, 1, 0, 1]
   */
  repeat(count?: number): Dataset<T> {
    return new Dataset(repeatStage(this.stage, count));
  }

  /**
   * At most the first `count` elements.
   * @example tf.data.range(5).take(2) // [0, 1]
   */
  take(count: number): Dataset<T> {
    return new Dataset(takeStage(this.stage, count));
  }

  /**
   * All but the first `count` elements.
   * @example tf.data.range(5).skip(3) // [3, 4]
   */
  skip(count: number): Dataset<T> {
    return new Dataset(skipStage(this.stage, count));
  }

  /**
   * Makes up to `bufferSize` elements ready while earlier ones are used: a batch is assembled while the model works.
   * Belongs at the end of a pipeline.
   * @example tf.data.range(4).batch(2).prefetch(1) // [[0, 1], [2, 3]]
   */
  prefetch(bufferSize: number): Dataset<T> {
    return new Dataset(prefetchStage(this.stage, bufferSize));
  }

  /**
   * Keeps the elements of the first whole iteration in JavaScript's memory; later iterations run nothing that comes
   * before this. What follows, such as `shuffle`, still runs.
   * @example tf.data.range(3).map((i) => i * i).cache() // [0, 1, 4]
   */
  cache(): Dataset<T> {
    return new Dataset(cacheStage(this.stage));
  }

  static {
    Object.defineProperty(Dataset.prototype, brand, { value: true });
  }
}

/** A user's function as stages call it. */
function asStageFunction<T>(stage: string, f: (element: T) => unknown, options?: StageFunctionOptions): StageFunction {
  // boundary: stages give what their types say
  return new StageFunction(stage, f as (value: unknown) => unknown, options);
}

/** One iteration over a stage, `count` elements asked for at once. However it ends, the stage is closed. */
async function* valuesOf<T>(stage: Stage, count: number, signal?: Signal): AsyncGenerator<T, void, undefined> {
  throwIfAborted(signal);
  const flow = stage.open();
  let pulled: readonly Element[] = [];
  let at = 0;
  let isFailed = false;
  try {
    for (;;) {
      throwIfAborted(signal);
      pulled = await untilAborted(flow.pull(count), signal, releaseAll);
      if (pulled.length === 0) return;
      for (at = 0; at < pulled.length; ) {
        throwIfAborted(signal);
        const element = realize(pulled[at]!);
        at++;
        // boundary: stages give what their types say
        yield valueOf(element) as T;
      }
    }
  } catch (error) {
    isFailed = true;
    throw error;
  } finally {
    releaseAll(pulled.slice(at));
    const closed = flow.close().catch((error: unknown) => {
      // The first error is the one to tell.
      if (!isFailed) throw error;
    });
    // A stage that still works on an element closes after it.
    if (!signal?.aborted) await closed;
  }
}
