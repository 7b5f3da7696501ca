// What training takes in: whole tensors, or anything that yields batches, each brought into the model's order.
import {
  dispose,
  gather,
  MillraceError,
  reshape,
  slice,
  type Tensor,
  type TypedArray,
  tensor,
  tidy,
} from "@millrace/autodiff";
import { isTensor } from "../topology/weights.js";
import { type Signal, untilAborted } from "../util/platform.js";
import type { BatchShape } from "../util/shapes.js";

/**
 * One input, label or weight of a batch; a typed array takes the shape that the model wants.
 * @public
 */
export type BatchLeaf = Tensor | TypedArray;
/**
 * One, several in the model's order, or several by name.
 * @public
 */
export type BatchValue = BatchLeaf | readonly BatchLeaf[] | Readonly<Record<string, BatchLeaf>>;
/**
 * A batch as an object or a tuple.
 * @public
 */
export type Batch =
  | { readonly xs: BatchValue; readonly ys?: BatchValue | undefined; readonly sampleWeight?: BatchValue | undefined }
  | readonly [xs: BatchValue, ys?: BatchValue | undefined, sampleWeight?: BatchValue | undefined];
/**
 * What yields batches.
 * @public
 */
export type BatchIterable = AsyncIterable<Batch> | Iterable<Batch>;
/**
 * A dataset, a list of batches, or a function that yields them anew each time it is called.
 * @public
 */
export type BatchSource = BatchIterable | (() => BatchIterable);
/**
 * What yields inputs without labels, which is enough to predict from.
 * @public
 */
export type InputSource = AsyncIterable<BatchLeaf> | (() => AsyncIterable<BatchLeaf>);

/** A batch in the model's order. */
export interface Step {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  /** One for each output, or none. */
  readonly weights: readonly Tensor[];
  /** The number of samples. */
  readonly size: number;
  /** What is to be disposed of after the step. */
  readonly owned: readonly Tensor[];
}

/** Batches, any number of times. */
export interface StepSource {
  /** How many there are; null before it is known. */
  readonly steps: number | null;
  /** `signal` ends the wait for a batch. */
  open(signal: Signal | null): AsyncIterable<Step>;
}

/** What a model wants: names and shapes, batch axis first; null where it does not say. */
export interface BatchSpec {
  readonly inputNames: readonly string[];
  readonly inputShapes: readonly BatchShape[] | null;
  readonly outputNames: readonly string[];
  readonly outputShapes: readonly BatchShape[] | null;
}

/** Marks the datasets of every copy of the data package: the tensors of their elements are whoever iterates's. */
const datasetBrand: unique symbol = Symbol.for("millrace.dataset");

/** Whether this is a source of batches, not tensors. */
export function isBatchSource(x: unknown): x is BatchSource {
  if (typeof x === "function") return true;
  if (typeof x !== "object" || x === null || ArrayBuffer.isView(x) || isTensor(x)) return false;
  if (Array.isArray(x)) return x.length === 0 || !(isNumbers(x) || x.every(isLeaf));
  return Symbol.asyncIterator in x || Symbol.iterator in x;
}

/** Whether this is a nested array of numbers, which could be one sample, several or a batch. */
function isNumbers(x: unknown): boolean {
  if (!Array.isArray(x)) return false;
  const first: unknown = x[0];
  return ["number", "boolean", "bigint"].includes(typeof first) || isNumbers(first);
}

// --- batches from a source

/** The batches of a source. `steps` is how many of them are an epoch, where that is not all. */
export function sourceSteps(source: BatchSource, spec: () => BatchSpec, steps: number | null): StepSource {
  const known = steps ?? cardinalityOf(source);
  const once = typeof source === "function" ? null : onceOf(source);
  if (once && steps === null) throw exhausted("it can be read once");
  // A dataset's tensors are made for this reading; those of a generator may be kept by whoever made them.
  const isOwner = typeof source === "object" && datasetBrand in source;
  return {
    steps: known,
    async *open(signal) {
      const iterator = once ?? iteratorOf(typeof source === "function" ? source() : source);
      let count = 0;
      try {
        while (steps === null || count < steps) {
          const pending = iterator.next();
          // A batch that comes after an abort is given back like one that was used.
          const late = (next: IteratorResult<Batch>): void => {
            if (!next.done) dispose(assemble(next.value, spec(), isOwner).owned);
          };
          const next = await untilAborted(pending, signal, late);
          if (next.done) break;
          count++;
          yield assemble(next.value, spec(), isOwner);
        }
      } finally {
        const closed = once ? undefined : Promise.resolve(iterator.return?.());
        // A source that still works on a batch closes after it.
        if (signal?.aborted) closed?.catch(() => {});
        else await closed;
      }
      if (steps !== null && count < steps) throw exhausted(`it gave ${count} of ${steps} batches`);
      if (count === 0) throw exhausted("it gave no batch");
    },
  };
}

type AnyIterator = AsyncIterator<Batch> | Iterator<Batch>;

function iteratorOf(source: BatchIterable): AnyIterator {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/** The iterator, where the source is its own and so can be read once, as what a generator function returns. */
function onceOf(source: BatchIterable): AnyIterator | null {
  // A dataset gives a new iterator each time, and opening one may do work: only what has `next` itself is asked.
  return "next" in source ? iteratorOf(source) : null;
}

function exhausted(why: string): MillraceError {
  const what = "the source of batches ended";
  return new MillraceError(
    "E_EXHAUSTED",
    `${what}: ${why}. Pass the generator function, not its result, or set stepsPerEpoch`,
  );
}

/** How many batches a dataset or list has; null where it does not say. */
function cardinalityOf(source: BatchSource): number | null {
  if (Array.isArray(source)) return source.length;
  if (typeof source !== "object" || !("cardinality" in source) || typeof source.cardinality !== "function") return null;
  const count: unknown = source.cardinality();
  return typeof count === "number" && count >= 0 && Number.isFinite(count) ? count : null;
}

/** A batch in the model's order. */
function assemble(batch: Batch | BatchLeaf, spec: BatchSpec, isOwner: boolean): Step {
  const [xs, ys, sampleWeight] = parts(batch);
  const owned: Tensor[] = [];
  try {
    const take = (
      value: BatchValue | undefined,
      what: string,
      names: readonly string[],
      shapes: readonly BatchShape[] | null,
    ): Tensor[] =>
      value === undefined
        ? []
        : leavesOf(value, what, names).map((leaf, i) => toTensor(leaf, shapes?.[i] ?? null, owned, isOwner));
    const inputs = take(xs, "xs", spec.inputNames, spec.inputShapes);
    const labels = take(ys, "ys", spec.outputNames, spec.outputShapes);
    const weights = take(sampleWeight, "sampleWeight", spec.outputNames, null);
    return { xs: inputs, ys: labels, weights, size: batchSizeOf([...inputs, ...labels, ...weights]), owned };
  } catch (error) {
    dispose(owned);
    throw error;
  }
}

function parts(batch: Batch | BatchLeaf): readonly [BatchValue, BatchValue | undefined, BatchValue | undefined] {
  if (isLeaf(batch)) return [batch, undefined, undefined];
  if (isTuple(batch)) return [batch[0], batch[1], batch[2]];
  if (typeof batch === "object" && batch !== null && "xs" in batch) {
    return [batch.xs, batch.ys, batch.sampleWeight];
  }
  throw new MillraceError("E_ARGUMENT", "a batch is { xs, ys, sampleWeight } or [xs, ys, sampleWeight]");
}

function isTuple(batch: Batch): batch is Extract<Batch, readonly unknown[]> {
  return Array.isArray(batch);
}

/** The leaves of a value in the model's order. */
export function leavesOf(value: BatchValue, what: string, names: readonly string[]): readonly BatchLeaf[] {
  if (isLeaf(value)) return [value];
  if (isNumbers(value))
    throw new MillraceError(
      "E_ARGUMENT",
      `${what}: needs tensors or typed arrays, got an array of numbers; pass tf.tensor(…) of it`,
    );
  if (Array.isArray(value)) return value as readonly BatchLeaf[];
  if (typeof value !== "object" || value === null) {
    throw new MillraceError(
      "E_ARGUMENT",
      `${what}: needs tensors or typed arrays, got ${value === null ? "null" : typeof value}`,
    );
  }
  const record = value as Readonly<Record<string, BatchLeaf>>;
  return names.map((name) => {
    const leaf = record[name];
    if (leaf !== undefined) return leaf;
    throw new MillraceError("E_ARGUMENT", `${what}: "${name}" is missing; there are ${Object.keys(record).join(", ")}`);
  });
}

function isLeaf(value: unknown): value is BatchLeaf {
  return isTensor(value) || ArrayBuffer.isView(value);
}

/** A leaf as a tensor; what is made of a typed array, or belongs to its reader, goes to `owned`. */
function toTensor(leaf: BatchLeaf, shape: BatchShape | null, owned: Tensor[], isOwner: boolean): Tensor {
  if (isTensor(leaf)) {
    if (isOwner) owned.push(leaf);
    return leaf;
  }
  if (!ArrayBuffer.isView(leaf)) throw new MillraceError("E_ARGUMENT", "a batch holds tensors or typed arrays");
  const flat: Tensor = tensor(leaf);
  owned.push(flat);
  const rest = shape?.slice(1) ?? [];
  if (rest.length === 0 || rest.includes(null)) return flat;
  const shaped: Tensor = reshape(flat, [-1, ...(rest as readonly number[])]);
  owned.push(shaped);
  return shaped;
}

/** The size of the first axis, which all have in common. */
export function batchSizeOf(tensors: readonly Tensor[]): number {
  const sizes = tensors.map((x) => {
    if (x.rank > 0) return x.shape[0]!;
    throw new MillraceError("E_SHAPE", "a batch holds tensors with a batch axis, got a scalar");
  });
  const [size = 0] = sizes;
  if (sizes.every((n) => n === size)) return size;
  throw new MillraceError(
    "E_SHAPE",
    `inputs, labels and weights differ in their number of samples: ${sizes.join(", ")}`,
  );
}

// --- batches from whole tensors

/** Whole tensors in the model's order. */
export interface Whole {
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  readonly weights: readonly Tensor[];
  readonly size: number;
  /** What was made of typed arrays. */
  readonly owned: readonly Tensor[];
}

/** Inputs, labels and weights as tensors in the model's order. */
export function wholeOf(
  xs: BatchValue,
  ys: BatchValue | undefined,
  weights: BatchValue | undefined,
  spec: BatchSpec,
): Whole {
  return assemble({ xs, ys, sampleWeight: weights }, spec, false);
}

/** The samples from `start` to `end`. The tensors are the caller's. */
export function rowsOf(whole: Whole, start: number, end: number): Whole {
  const cut = (x: Tensor): Tensor => rows(x, start, end);
  const [xs, ys, weights] = [whole.xs.map(cut), whole.ys.map(cut), whole.weights.map(cut)];
  return { xs, ys, weights, size: end - start, owned: [...xs, ...ys, ...weights] };
}

export function rows(x: Tensor, start: number, end: number): Tensor {
  return slice(x, [start, ...x.shape.slice(1).map(() => 0)], [end - start, ...x.shape.slice(1)]);
}

/** The batches of whole tensors. `order` gives a new order of samples for each epoch; null leaves it. */
export function wholeSteps(whole: Whole, batchSize: number, order: (() => Int32Array) | null): StepSource {
  const { size } = whole;
  return {
    steps: Math.ceil(size / batchSize),
    async *open() {
      const places = order?.();
      for (let start = 0; start < size; start += batchSize) {
        const end = Math.min(size, start + batchSize);
        if (!places && start === 0 && end === size) yield { ...whole, owned: [] };
        else yield tidy(() => (places ? picked(whole, places.slice(start, end)) : rowsOf(whole, start, end)));
      }
    },
  };
}

function picked(whole: Whole, places: Int32Array): Step {
  const indices: Tensor = tensor(places);
  const pick = (x: Tensor): Tensor => gather(x, indices);
  const [xs, ys, weights] = [whole.xs.map(pick), whole.ys.map(pick), whole.weights.map(pick)];
  return { xs, ys, weights, size: places.length, owned: [...xs, ...ys, ...weights] };
}
