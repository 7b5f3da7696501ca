import * as tf from "@millrace/core";
import { type Dataset, type FunctionReport, fromTensorSlices, range } from "../src/index.js";

tf.registerReferenceBackend();

/** The elements with tensors as nested arrays, and the tensors freed. */
export async function valuesOf(dataset: Dataset<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const element of dataset) {
    values.push(plain(element));
    tf.dispose(element);
  }
  return values;
}

export function plain(value: unknown): unknown {
  if (isTensor(value)) return value.arraySync();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

function isTensor(value: unknown): value is tf.Tensor {
  return typeof value === "object" && value !== null && "arraySync" in value;
}

/** Runs `f` and asserts that no tensor is left. The run before lets the engine keep its constants. */
export async function leakFree(f: () => Promise<unknown>): Promise<void> {
  await f();
  const before = tf.memory();
  await f();
  const after = tf.memory();
  expect({ tensors: after.numTensors, bytes: after.numBytes }).toEqual({
    tensors: before.numTensors,
    bytes: before.numBytes,
  });
}

/** The error with which a promise rejects. */
export async function rejection(promise: Promise<unknown>): Promise<tf.MillraceError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (tf.isMillraceError(error)) return error;
  throw new Error(`expected a Millrace error, got ${String(error)}`);
}

export const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A dataset of tensors that the pipeline owns. */
export const tensors = (n: number): Dataset<tf.Tensor<[1]>> => range(n).map((i) => tf.tensor([i]));

export type Row = tf.Tensor<[3]>;

/** [0, 1, 2], [3, 4, 5] … */
export const rows = (n = 4): Dataset<Row> =>
  fromTensorSlices(numbers(n).map((i): [number, number, number] => [3 * i, 3 * i + 1, 3 * i + 2]));

/** What is said of the last stage's function. */
export function functionOf(ds: Dataset<unknown>): FunctionReport {
  const { function: called } = ds.explain().stages.at(-1)!;
  if (called) return called;
  throw new Error("the last stage calls no function");
}

/** The number of the line of a source that ends with a remark. */
export const lineIn =
  (source: string) =>
  (mark: string): number =>
    source.split("\n").findIndex((line) => line.endsWith(`// ${mark}`)) + 1;
