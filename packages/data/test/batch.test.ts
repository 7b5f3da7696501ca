import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { leakFree, numbers, rejection, valuesOf } from "./helpers.js";

describe("batch", () => {
  test.each([
    [undefined, [[0, 1], [2, 3], [4]]],
    [
      { dropRemainder: true },
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [{ dropRemainder: false }, [[0, 1], [2, 3], [4]]],
    [
      { smallLastBatch: false },
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [{ smallLastBatch: true }, [[0, 1], [2, 3], [4]]],
    [true, [[0, 1], [2, 3], [4]]],
    [
      false,
      [
        [0, 1],
        [2, 3],
      ],
    ],
  ])("with %j", async (options, want) => {
    const ds = data.range(5).batch(2, options);
    expect(ds.cardinality()).toBe(want.length);
    expect(await valuesOf(ds)).toEqual(want);
    expect(
      await valuesOf(
        data
          .range(5)
          .map((i) => tf.tensor(i))
          .batch(2, options),
      ),
    ).toEqual(want);
  });
  test("gathers slices from any order and source, of every size", () =>
    leakFree(async () => {
      for (const size of [1, 3, 15, 16, 100]) {
        const values = Float32Array.from({ length: 6 * size }, (_, i) => i);
        const row = (i: number): number[] => [...values.subarray(i * size, (i + 1) * size)];
        const x = tf.tensor(values, [6, size]);
        const ds = data.fromTensorSlices(x);
        x.dispose();
        expect(await valuesOf(ds.batch(4))).toEqual([numbers(4).map(row), [4, 5].map(row)]);
        expect(await valuesOf(ds.skip(3).concatenate(ds).batch(6))).toEqual([
          [3, 4, 5, 0, 1, 2].map(row),
          [3, 4, 5].map(row),
        ]);
      }
    }));
  test("the batch is a copy", async () => {
    const values = Float32Array.of(1, 2);
    const [batch] = await data.fromTensorSlices(values).batch(2).toArray();
    values[0] = 9;
    expect(batch!.arraySync()).toEqual([1, 2]);
    batch!.dispose();
  });
  test("numbers, bigints, booleans, arrays and typed arrays become tensors as in tf.tensor", async () => {
    const items = numbers(2).map((i) => ({
      n: i,
      big: BigInt(i),
      is: i === 1,
      list: [[i], [2]],
      typed: Int32Array.of(i),
      none: undefined,
    }));
    const [batch] = await data.array(items).batch(2).toArray();
    expect([batch!.n.dtype, batch!.big.dtype, batch!.is.dtype, batch!.list.dtype, batch!.typed.dtype]).toEqual([
      "float32",
      "int64",
      "bool",
      "float32",
      "int32",
    ]);
    expect(batch!.list.shape).toEqual([2, 2, 1]);
    expect(await valuesOf(data.array(items).batch(2))).toEqual([
      {
        n: [0, 1],
        big: [0n, 1n],
        is: [false, true],
        list: [
          [[0], [2]],
          [[1], [2]],
        ],
        typed: [[0], [1]],
        none: undefined,
      },
    ]);
    tf.dispose(batch);
  });
  test("batches of batches", async () => {
    expect(await valuesOf(data.range(5).batch(2).batch(2, { dropRemainder: true }))).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
    ]);
  });
  test.each([
    ["shapes", [{ x: [1] }, { x: [1, 2] }], "E_SHAPE", "batch: x has shape [1] in one element and [2] in element 1"],
    [
      "dtypes",
      [Int32Array.of(1), Float32Array.of(1)],
      "E_DTYPE",
      "batch: the element is int32 in one element and float32",
    ],
    ["structures", [{ x: 1 }, { x: 1, y: 2 }], "E_ARGUMENT", "one is { x }, element 1 of the batch { x, y }"],
    ["strings", ["a", "b"], "E_DTYPE", "batch: the element is string in an element"],
    ["a missing value", [{ x: 1 }, { x: null }], "E_DTYPE", "batch: x is null in an element"],
    ["a pair of rows", [[[0, 0], 1]], "E_SHAPE", "different lengths along axis 1; a pair is { xs, ys }"],
  ])("refuses different %s", async (_name, items, code, message) => {
    const error = await rejection(data.array<unknown>(items).batch(2).toArray());
    expect([error.code, error.reason]).toEqual([code, expect.stringContaining(message)]);
  });
  test("different shapes of tensors leak nothing", () =>
    leakFree(async () => {
      const ds = data.range(2).map((i) => ({ a: tf.tensor(i), b: tf.zeros([i + 1]) }));
      expect((await rejection(ds.batch(2).toArray())).message).toContain("b has shape [1]");
    }));
  test("refuses bad arguments at once", () => {
    const ds = data.range(3);
    expect(() => ds.batch(0)).toThrow("batch: batchSize must be a whole number from 1, got 0");
    expect(() => ds.batch(2, { dropRemaindr: true } as object)).toThrow(
      'batch: there is no option "dropRemaindr" (did you mean "dropRemainder"?)',
    );
    expect(() => ds.batch(2, { dropRemainder: true, smallLastBatch: true })).toThrow("contradict");
    // boundary: the error is the subject
    expect(() => ds.batch(2, 3 as unknown as object)).toThrow("takes an object of options");
  });
});

describe("unbatch", () => {
  test("is the inverse of batch, for slices and tensors", () =>
    leakFree(async () => {
      const ds = data.fromTensorSlices({
        x: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        y: Int32Array.of(7, 8, 9),
      });
      const want = await valuesOf(ds);
      expect(await valuesOf(ds.batch(2).unbatch())).toEqual(want);
      expect(await valuesOf(ds.batch(2).unbatch().shuffle(5, 1).batch(3).unbatch())).toHaveLength(3);
      expect(await valuesOf(ds.batch(2).cache().unbatch())).toEqual(want);
    }));
  test("of arrays of numbers, also empty ones", async () => {
    expect(
      await data
        .array([[1, 2], [], [3]])
        .unbatch()
        .toArray(),
    ).toEqual([1, 2, 3]);
  });
  test("refuses scalars and different lengths", () =>
    leakFree(async () => {
      expect((await rejection(data.range(1).unbatch().toArray())).reason).toBe(
        "unbatch: the element has no axis to slice along",
      );
      const ds = data.array([{ a: [1, 2], b: Int32Array.of(1) }]).map((x) => ({ ...x, t: tf.zeros([2]) }));
      expect((await rejection(ds.unbatch().toArray())).reason).toBe("unbatch: a has 2 slices, b has 1");
    }));
});
