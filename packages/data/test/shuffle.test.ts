import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { Random } from "../src/random.js";
import { leakFree, numbers, tensors } from "./helpers.js";

describe("shuffle", () => {
  /** The algorithm of the docs, one element at a time. */
  function shuffled(values: readonly number[], bufferSize: number, seed: number, iteration: number): number[] {
    const random = new Random(seed, iteration);
    const buffer: number[] = [];
    const out: number[] = [];
    let next = 0;
    for (;;) {
      while (buffer.length < bufferSize && next < values.length) buffer.push(values[next++]!);
      if (buffer.length === 0) return out;
      const slot = random.below(buffer.length);
      out.push(buffer[slot]!);
      buffer[slot] = buffer[buffer.length - 1]!;
      buffer.pop();
    }
  }
  test.each([1, 2, 7, 20, 50])("with a buffer of %i", async (bufferSize) => {
    const ds = data.range(20).shuffle(bufferSize, 3);
    const order = await ds.toArray();
    expect(order).toEqual(shuffled(numbers(20), bufferSize, 3, 0));
    expect(await ds.toArray()).toEqual(shuffled(numbers(20), bufferSize, 3, 1));
    expect([...order].sort((a, b) => a - b)).toEqual(numbers(20));
    for (const [position, value] of order.entries()) expect(value).toBeLessThan(position + bufferSize);
    if (bufferSize > 6) expect(order).not.toEqual(numbers(20));
  });
  test("the order is a function of the seed, whatever is asked for at once", async () => {
    const make = () => data.range(20).shuffle(6, 5);
    const want = await make().toArray();
    expect(
      await make()
        .batch(7)
        .unbatch()
        .map((x) => x.itemSync())
        .toArray(),
    ).toEqual(want);
    const one: number[] = [];
    for await (const i of make()) one.push(i);
    expect(one).toEqual(want);
    expect(await data.range(20).shuffle(6, 6).toArray()).not.toEqual(want);
    expect(await data.range(20).shuffle(6, { seed: 5 }).toArray()).toEqual(want);
  });
  test("this order never changes", async () => {
    expect(await data.range(10).shuffle(10, 42).toArray()).toMatchInlineSnapshot(`
      [
        6,
        4,
        0,
        2,
        5,
        1,
        9,
        8,
        3,
        7,
      ]
    `);
  });
  test("each iteration has its own order, unless told otherwise", async () => {
    const again = data.range(20).shuffle(20, 5);
    const [first, second] = [await again.toArray(), await again.toArray()];
    expect(second).not.toEqual(first);
    const twice = await data.range(20).shuffle(20, 5).repeat(2).toArray();
    expect([twice.slice(0, 20), twice.slice(20)]).toEqual([first, second]);
    const same = data.range(20).shuffle(20, 5, false);
    expect(await same.toArray()).toEqual(first);
    expect(await same.toArray()).toEqual(first);
  });
  test("without a seed two datasets differ", async () => {
    expect(await data.range(50).shuffle(50).toArray()).not.toEqual(await data.range(50).shuffle(50).toArray());
  });
  test("tf.setRandomSeed makes the orders repeat from run to run", async () => {
    const orders = async (): Promise<unknown> => {
      tf.setRandomSeed(7);
      return [await data.range(50).shuffle(50).toArray(), await data.range(50).shuffle(50).toArray()];
    };
    const [a, b] = [await orders(), await orders()] as [unknown[], unknown[]];
    expect(a).toEqual(b);
    expect(a[0]).not.toEqual(a[1]);
  });
  test("each of the six orders of three is about as frequent: chi-squared below the 0.1 % point", async () => {
    const seen = new Map<string, number>();
    const ds = data.range(3).shuffle(3, 11);
    for (let i = 0; i < 1200; i++) {
      const key = (await ds.toArray()).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    expect([...seen.values()].reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0)).toBeLessThan(20.52);
  });
  test("frees its buffer when left early", () =>
    leakFree(async () => {
      for await (const x of tensors(20).shuffle(10, 1)) {
        x.dispose();
        break;
      }
    }));
  test("refuses bad arguments", () => {
    expect(() => data.range(3).shuffle(0)).toThrow("shuffle: bufferSize must be a whole number from 1, got 0");
    expect(() => data.range(3).shuffle(3, 1.5)).toThrow("shuffle: seed must be a whole number, got 1.5");
    expect(() => data.range(3).shuffle(3, { sed: 1 } as object)).toThrow('did you mean "seed"?');
  });
});
