import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { leakFree, rejection, tensors, valuesOf } from "./helpers.js";

describe("map", () => {
  test("of plain values", async () => {
    expect(
      await data
        .range(4)
        .map((i) => i * i)
        .toArray(),
    ).toEqual([0, 1, 4, 9]);
  });
  test("frees the element and what was made on the way", () =>
    leakFree(async () => {
      const ds = data
        .fromTensorSlices([
          [1, 2],
          [3, 4],
        ])
        .map((x) => tf.sum(tf.mul(x, tf.add(x, 1))));
      expect(await valuesOf(ds)).toEqual([8, 32]);
    }));
  test("the element may be returned, also twice", () =>
    leakFree(async () => {
      const ds = tensors(3).map((x) => ({ xs: x, ys: x }));
      expect(await valuesOf(ds)).toEqual([0, 1, 2].map((i) => ({ xs: [i], ys: [i] })));
      expect(await valuesOf(ds.batch(3))).toEqual([{ xs: [[0], [1], [2]], ys: [[0], [1], [2]] }]);
      expect(await valuesOf(ds.cache())).toHaveLength(3);
    }));
  test("a tensor from outside is copied", () =>
    leakFree(async () => {
      const one = tf.tensor(1);
      expect(
        await valuesOf(
          tensors(3)
            .map((xs) => ({ xs, ys: one }))
            .batch(2),
        ),
      ).toEqual([
        { xs: [[0], [1]], ys: [1, 1] },
        { xs: [[2]], ys: [1] },
      ]);
      expect(one.arraySync()).toBe(1);
      one.dispose();
    }));
  test("runs element by element, and only as far as asked", async () => {
    const seen: number[] = [];
    const ds = data.range(100).map((i) => seen.push(i));
    for await (const _ of ds.batch(3)) break;
    expect(seen).toEqual([0, 1, 2]);
  });
  test("an error names the stage, keeps code and cause, and leaks nothing", () =>
    leakFree(async () => {
      const cause = new TypeError("boom");
      const failing = tensors(5).map((x) => {
        const doubled = tf.mul(x, 2);
        if (x.arraySync()[0] === 3) throw cause;
        return doubled;
      });
      const error = await rejection(failing.batch(5).toArray());
      expect([error.code, error.reason, error.op, error.cause]).toEqual(["E_DATA", "map: boom", "map", cause]);
      const wrong = tensors(2).map((x) => tf.reshape(x, [2] as tf.Shape));
      const shape = await rejection(wrong.toArray());
      expect(shape.code).toBe("E_SHAPE");
      expect(shape.message).toMatch(/^map: /);
    }));
  test("refuses an async function", () =>
    leakFree(async () => {
      const error = await rejection(
        tensors(2)
          .map(async (x) => x)
          .toArray(),
      );
      expect([error.code, error.reason]).toEqual([
        "E_ASYNC_SCOPE",
        "map: the function returned a promise; use mapAsync",
      ]);
    }));
});

describe("mapAsync", () => {
  test("awaits, one after the other", async () => {
    let running = 0;
    const ds = data.range(5).mapAsync(async (i) => {
      expect(++running).toBe(1);
      await Promise.resolve();
      running--;
      return i + 1;
    });
    expect(
      await ds
        .batch(5)
        .unbatch()
        .map((x) => x.arraySync())
        .toArray(),
    ).toEqual([1, 2, 3, 4, 5]);
  });
  test("frees elements that are not returned, also after an error", () =>
    leakFree(async () => {
      const sizes = tensors(3).mapAsync(async (x) => (await x.data()).length);
      expect(await sizes.toArray()).toEqual([1, 1, 1]);
      const failing = tensors(3).mapAsync(async (x) => {
        if ((await x.item()) === 1) throw new Error("one");
        return x;
      });
      expect((await rejection(failing.batch(3).toArray())).reason).toBe("mapAsync: one");
    }));
  test("an abort keeps its reason", async () => {
    const reason = new DOMException("stop", "AbortError");
    await expect(
      data
        .range(1)
        .mapAsync(() => Promise.reject(reason))
        .toArray(),
    ).rejects.toBe(reason);
  });
});

describe("filter", () => {
  test("of plain values, of tensors", () =>
    leakFree(async () => {
      expect(
        await data
          .range(6)
          .filter((i) => i % 2 === 1)
          .toArray(),
      ).toEqual([1, 3, 5]);
      const odd = (x: tf.Tensor<[1]>): boolean => tf.mod(x, 2).arraySync()[0] === 1;
      expect(await valuesOf(tensors(5).filter(odd))).toEqual([[1], [3]]);
      expect(await valuesOf(tensors(5).filter(odd).batch(2))).toEqual([[[1], [3]]]);
    }));
  test("refuses what is no boolean", () =>
    leakFree(async () => {
      // boundary: the error is the subject
      const ds = tensors(2).filter((x) => tf.greater(x, 0) as unknown as boolean);
      expect((await rejection(ds.toArray())).message).toContain(
        "filter: the function must return a boolean, got object",
      );
    }));
});
