// The functions that make a dataset from something else.
import { badArgument } from "./arguments.js";
import { Dataset } from "./dataset.js";
import { arrayStage } from "./sources/array.js";
import { generatorStage } from "./sources/generator.js";
import { rangeStage } from "./sources/range.js";
import { slicesStage, tensorsStage } from "./sources/slices.js";
import { zipStage } from "./sources/zip.js";
import { split } from "./structure.js";
import type { SliceOf, TensorsOf } from "./types.js";

/**
 * The items as elements. Tensors in them are read now, and stay yours.
 * @throws E_ARGUMENT where `items` is no array
 * @example tf.data.array([{ x: [0, 1], y: 1 }, { x: [1, 1], y: 0 }]).batch(2) // [{ x: [[0, 1], [1, 1]], y: [1, 0] }]
 * @public
 */
export function array<T>(items: readonly T[]): Dataset<T> {
  return new Dataset(arrayStage(items));
}

/**
 * The slices of tensors and arrays along their first axis: one element for each example. Tensors are read now, and stay
 * yours. Typed arrays are not copied: their elements are scalars, and must not change while the dataset is used.
 * @throws E_SHAPE where leaves have no axis or differ in their number of slices; E_DTYPE where one is no array of
 * numbers
 * @example tf.data.fromTensorSlices({ x: [[1, 2], [3, 4]], y: [5, 6] }) // [{ x: [1, 2], y: 5 }, { x: [3, 4], y: 6 }]
 * @public
 */
export function fromTensorSlices<const T>(tensors: T): Dataset<SliceOf<T>> {
  return new Dataset(slicesStage(tensors));
}

/**
 * One element: these tensors and arrays. Tensors are read now, and stay yours.
 * @throws E_DTYPE where a leaf is no tensor and no number or array of them
 * @example tf.data.fromTensors({ xs: [[1, 2]], ys: 3 }).repeat(2) // [{ xs: [[1, 2]], ys: 3 }, { xs: [[1, 2]], ys: 3 }]
 * @public
 */
export function fromTensors<const T>(tensors: T): Dataset<TensorsOf<T>> {
  return new Dataset(tensorsStage(tensors));
}

/**
 * What `generator` reads: a function, called for each iteration, or an iterable, asked for an iterator each time.
 * @public
 */
export type GeneratorSource<T> =
  | Iterable<T>
  | AsyncIterable<T>
  | (() => GeneratorResult<T> | PromiseLike<GeneratorResult<T>>);

/**
 * What the function of a `generator` gives.
 * @public
 */
export type GeneratorResult<T> = Iterator<T> | AsyncIterator<T> | Iterable<T> | AsyncIterable<T>;

/**
 * What a generator yields. Tensors made during the iteration become the pipeline's; those that were there before are
 * copied. Leaving the loop early calls the generator's `return`.
 * @throws E_EXHAUSTED while iterating, where an iterator is read again: pass the generator function, not its result
 * @example tf.data.generator(function* () { for (let i = 0; i < 3; i++) yield [i, i * i] }) // [[0, 0], [1, 1], [2, 4]]
 * @public
 */
export function generator<T>(source: GeneratorSource<T>): Dataset<T> {
  return new Dataset(generatorStage(source));
}

/**
 * Numbers from `start`, 0 unless given, `step` apart, to before `stop`.
 * @throws E_ARGUMENT where the step is 0 or a bound is no number
 * @example tf.data.range(2, 8, 3) // [2, 5]
 * @public
 */
export function range(stop: number): Dataset<number>;
export function range(start: number, stop: number, step?: number): Dataset<number>;
export function range(start: number, stop?: number, step = 1): Dataset<number> {
  return new Dataset(stop === undefined ? rangeStage(0, start, step) : rangeStage(start, stop, step));
}

/**
 * Datasets in nested arrays and objects.
 * @public
 */
export type DatasetStructure =
  | Dataset<unknown>
  | readonly DatasetStructure[]
  | { readonly [key: string]: DatasetStructure };

/**
 * The elements of zipped datasets.
 * @public
 */
export type Zipped<D> = D extends Dataset<infer T> ? T : { -readonly [K in keyof D]: Zipped<D[K]> };

/**
 * Elements of several datasets side by side, in the structure that they are given in; as long as the shortest.
 * @throws E_ARGUMENT where a leaf is no dataset
 * @example tf.data.zip({ xs: tf.data.range(3), ys: tf.data.array([5, 6]) }) // [{ xs: 0, ys: 5 }, { xs: 1, ys: 6 }]
 * @public
 */
export function zip<const D extends DatasetStructure>(datasets: D): Dataset<Zipped<D>> {
  const leaves: unknown[] = [];
  const structure = split(datasets, leaves, (value) => value instanceof Dataset);
  const stages = leaves.map((leaf) => {
    if (leaf instanceof Dataset) return leaf.stage;
    throw badArgument("zip", "needs datasets, in arrays or plain objects");
  });
  return new Dataset(zipStage(structure, stages));
}
