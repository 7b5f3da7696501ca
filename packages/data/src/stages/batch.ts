import * as tf from "@millrace/core";
import { type ErrorCode, MillraceError, type Tensor } from "@millrace/core";
import { checkOptions } from "@millrace/core/support";
import { badArgument, checkWhole } from "../arguments.js";
import { type Element, releaseAll } from "../element.js";
import { Row, rowOf, sizeOf, upload, uploadStack } from "../rows.js";
import { reshaped } from "../spec.js";
import { pullAll, type Stage } from "../stage.js";
import { describe, isSameStructure, isTensor, leafNames } from "../structure.js";

/**
 * What `batch` does with elements left over at the end.
 * @public
 */
export interface BatchOptions {
  /** Whether a last batch with fewer elements is left out; false unless said. */
  readonly dropRemainder?: boolean;
  /** The opposite of `dropRemainder`, as in TensorFlow.js; true unless said. */
  readonly smallLastBatch?: boolean;
}

/** Several elements as one, each leaf along a new first axis. */
export function batchStage(input: Stage, batchSize: number, options: BatchOptions = {}): Stage {
  checkWhole("batch", "batchSize", batchSize, 1);
  const drop = dropsRemainder(options);
  const { size } = input;
  return {
    name: "batch",
    inputs: [input],
    size: size && (drop ? Math.floor : Math.ceil)(size / batchSize),
    spec: () => reshaped(input.spec(), (shape) => [drop ? batchSize : null, ...shape]),
    open() {
      const flow = input.open();
      return {
        async pull(count) {
          const batches: Element[] = [];
          try {
            while (batches.length < count) {
              const elements = await pullAll(flow, batchSize);
              const isWhole = elements.length === batchSize;
              if (elements.length > 0 && (isWhole || !drop)) batches.push(assemble(elements));
              else releaseAll(elements);
              if (!isWhole) break;
            }
            return batches;
          } catch (error) {
            releaseAll(batches);
            throw error;
          }
        },
        close: () => flow.close(),
      };
    },
  };
}

function dropsRemainder(options: BatchOptions): boolean {
  checkOptions("batch", options, ["dropRemainder", "smallLastBatch"]);
  const { dropRemainder, smallLastBatch } = options;
  if (dropRemainder !== undefined && dropRemainder === smallLastBatch) {
    throw badArgument("batch", "dropRemainder and smallLastBatch contradict each other; give one");
  }
  return dropRemainder ?? smallLastBatch === false;
}

/** Takes the elements over. */
function assemble(elements: readonly Element[]): Element {
  const { structure, leaves } = elements[0]!;
  try {
    const other = elements.findIndex((element) => !isSameStructure(element.structure, structure));
    if (other >= 0) {
      const [first, second] = [describe(structure), describe(elements[other]!.structure)];
      throw broken("E_ARGUMENT", `elements must look alike: one is ${first}, element ${other} of the batch ${second}`);
    }
    const names = leafNames(structure);
    const columns = leaves.map((_, i) => elements.map((element) => element.leaves[i]));
    const stacked: unknown[] = [];
    try {
      for (const [i, column] of columns.entries()) stacked.push(stackLeaf(column, names[i]!));
    } catch (error) {
      releaseAll([{ structure, leaves: stacked }]);
      throw error;
    }
    return { structure, leaves: stacked };
  } finally {
    releaseAll(elements);
  }
}

function stackLeaf(column: readonly unknown[], name: string): Tensor | undefined {
  // An optional member that no element has: { xs, ys, sampleWeight: undefined }.
  if (column.every((leaf) => leaf === undefined || leaf === null)) return undefined;
  if (column.some(isTensor)) {
    return tf.tidy(() => {
      const tensors = column.map((leaf) => (isTensor(leaf) ? leaf : upload(rowIn(leaf, name))));
      checkAlike(tensors, name);
      return stackTensors(tensors);
    });
  }
  const rows = column.map((leaf) => rowIn(leaf, name));
  checkAlike(
    rows.map((row) => row.rows),
    name,
  );
  return uploadStack(rows);
}

function rowIn(leaf: unknown, name: string): Row {
  const row = leaf instanceof Row ? leaf : rowOf(leaf);
  if (row) return row;
  const kind = leaf === null ? "null" : typeof leaf;
  throw broken("E_DTYPE", `${name} is ${kind} in an element; a batch holds tensors, typed arrays and numbers`);
}

interface Typed {
  readonly dtype: tf.DType;
  readonly shape: readonly number[];
}

function checkAlike(list: readonly Typed[], name: string): void {
  const first = list[0]!;
  for (const [i, other] of list.entries()) {
    if (other === first) continue;
    const isSameShape = first.shape.length === other.shape.length && first.shape.every((d, k) => d === other.shape[k]);
    if (!isSameShape) {
      const shapes = `[${first.shape}] in one element and [${other.shape}] in element ${i} of the batch`;
      throw broken("E_SHAPE", `${name} has shape ${shapes}; make them alike in a map before`);
    }
    if (first.dtype !== other.dtype) {
      throw broken(
        "E_DTYPE",
        `${name} is ${first.dtype} in one element and ${other.dtype} in element ${i} of the batch`,
      );
    }
  }
}

/** As tf.stack, with one reshape for all of them. */
function stackTensors(tensors: readonly Tensor[]): Tensor {
  const { shape } = tensors[0]!;
  // Rank 0 has no axis to join along, and an empty first axis does not tell how many there were.
  if (shape.length === 0 || sizeOf(shape) === 0) return tf.stack(tensors);
  return tf.reshape(tf.concat(tensors, 0), [tensors.length, ...shape]);
}

function broken(code: ErrorCode, message: string): MillraceError {
  return new MillraceError(code, `batch: ${message}`, { op: "batch" });
}
