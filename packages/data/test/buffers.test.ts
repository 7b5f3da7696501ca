import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { leakFree, numbers, rejection, tensors, valuesOf } from "./helpers.js";

describe("cache", () => {
  test("runs what comes before once", () =>
    leakFree(async () => {
      let calls = 0;
      const ds = data
        .range(4)
        .map((i) => tf.tensor([calls++, i]))
        .cache();
      const want = numbers(4).map((i) => [i, i]);
      expect(await valuesOf(ds)).toEqual(want);
      expect(await valuesOf(ds)).toEqual(want);
      expect(await valuesOf(ds.batch(4))).toEqual([want]);
      expect(calls).toBe(4);
    }));
  test("a broken iteration is not kept", () =>
    leakFree(async () => {
      let calls = 0;
      const ds = data
        .range(4)
        .map((i) => tf.tensor([calls++, i]))
        .cache();
      for await (const x of ds) {
        x.dispose();
        break;
      }
      expect(await valuesOf(ds)).toEqual(numbers(4).map((i) => [i + 1, i]));
    }));
});

describe("prefetch", () => {
  test("works ahead while the consumer is busy, as far as told", async () => {
    const made: number[] = [];
    const source = data.generator(function* () {
      for (let i = 0; i < 10; i++) {
        made.push(i);
        yield i;
      }
    });
    const iterator = source.prefetch(3)[Symbol.asyncIterator]();
    expect(made).toEqual([]);
    expect((await iterator.next()).value).toBe(0);
    for (let i = 0; i < 100; i++) await null;
    expect(made).toEqual([0, 1, 2, 3]);
    expect((await iterator.next()).value).toBe(1);
    for (let i = 0; i < 100; i++) await null;
    expect(made).toEqual([0, 1, 2, 3, 4]);
    await iterator.return();
  });
  test("gives what came before an error, then the error", async () => {
    const got: number[] = [];
    const ds = data.range(5).map((i) => {
      if (i === 3) throw new Error("three");
      return i;
    });
    const read = async (): Promise<void> => {
      for await (const i of ds.prefetch(4)) got.push(i);
    };
    expect((await rejection(read())).reason).toBe("map: three");
    expect(got).toEqual([0, 1, 2]);
  });
  test("frees what is ready when left early", () =>
    leakFree(async () => {
      for await (const x of tensors(20).batch(2).prefetch(4)) {
        for (let i = 0; i < 50; i++) await null;
        x.dispose();
        break;
      }
    }));
});
