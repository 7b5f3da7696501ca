import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { leakFree, valuesOf } from "./helpers.js";

/** Compiles only where both types are the same. */
type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const images = (): tf.Tensor<[10, 4, 4, 1], "float32"> => tf.reshape(tf.range(0, 160), [10, 4, 4, 1]);

describe("types", () => {
  test("of sources and batches", () => {
    const x = images();
    const ds = data.fromTensorSlices({ xs: x, ys: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) });
    same<typeof ds, data.Dataset<{ xs: tf.Tensor<[4, 4, 1], "float32">; ys: tf.Tensor<[], "int32"> }>>(true);
    const batches = ds.shuffle(10, 1).batch(4).prefetch(2);
    same<
      typeof batches,
      data.Dataset<{ xs: tf.Tensor<[number, 4, 4, 1], "float32">; ys: tf.Tensor<[number], "int32"> }>
    >(true);
    const pairs = ds.map(({ xs, ys }) => [xs, ys]);
    same<typeof pairs, data.Dataset<[tf.Tensor<[4, 4, 1], "float32">, tf.Tensor<[], "int32">]>>(true);
    const lists = data
      .array([
        [1, 2],
        [3, 4],
      ])
      .batch(2);
    same<typeof lists, data.Dataset<tf.Tensor<[number, number], "float32">>>(true);
    const zipped = data.zip([data.array([[0, 1]]), data.range(1)]).batch(1);
    same<typeof zipped, data.Dataset<[tf.Tensor<[number, number], "float32">, tf.Tensor<[number], "float32">]>>(true);
    const back = batches.unbatch();
    same<typeof back, typeof ds>(true);
    const wide: data.Dataset<{ xs: tf.Tensor }> = ds;
    expect(wide).toBe(ds);
    x.dispose();
  });
});

describe("iterating", () => {
  test("two iterations at once do not disturb each other", async () => {
    const ds = data.range(3);
    const [a, b] = [ds[Symbol.asyncIterator](), ds[Symbol.asyncIterator]()];
    expect([(await a.next()).value, (await a.next()).value, (await b.next()).value]).toEqual([0, 1, 0]);
  });
  test("nothing runs before the first element is asked for", async () => {
    let opened = 0;
    const ds = data.generator(function* () {
      opened++;
      yield 1;
    });
    const iterator = ds.prefetch(2)[Symbol.asyncIterator]();
    await iterator.return();
    expect(opened).toBe(0);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
  test("needs no backend for plain values", async () => {
    expect(
      await data
        .range(3)
        .map((i) => ({ i }))
        .toArray(),
    ).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }]);
  });
  test("is marked for fit", () => {
    expect(Reflect.get(data.range(1), Symbol.for("millrace.dataset"))).toBe(true);
  });
});

describe("ownership", () => {
  const stages: [string, (ds: data.Dataset<tf.Tensor>) => data.Dataset<unknown>][] = [
    ["map", (ds) => ds.map((x) => tf.mul(x, 2))],
    ["mapAsync", (ds) => ds.mapAsync(async (x) => x)],
    ["filter", (ds) => ds.filter((x) => (x.arraySync() as number[])[0]! % 2 === 0)],
    ["batch", (ds) => ds.batch(3)],
    ["batch and unbatch", (ds) => ds.batch(3).unbatch()],
    ["shuffle", (ds) => ds.shuffle(4, 1)],
    ["repeat", (ds) => ds.repeat(2)],
    ["take", (ds) => ds.take(5)],
    ["skip", (ds) => ds.skip(2)],
    ["prefetch", (ds) => ds.prefetch(3)],
    ["concatenate", (ds) => ds.concatenate(ds)],
    ["enumerate", (ds) => ds.enumerate()],
    ["cache", (ds) => ds.cache()],
    ["zip", (ds) => data.zip({ a: ds, b: ds.skip(1) })],
    [
      "all together",
      (ds) =>
        ds
          .shuffle(4, 1)
          .repeat(2)
          .batch(3)
          .map((x) => tf.mul(x, 2))
          .unbatch()
          .batch(2)
          .prefetch(2),
    ],
  ];
  const made: [string, () => data.Dataset<tf.Tensor>][] = [
    [
      "slices",
      () =>
        data.fromTensorSlices([
          [1, 2],
          [3, 4],
          [5, 6],
          [7, 8],
          [9, 10],
          [11, 12],
          [13, 14],
        ]),
    ],
    ["new tensors", () => data.range(7).map((i) => tf.tensor([i, i]))],
  ];
  const cases = stages.flatMap(([stage, apply]) => made.map(([from, make]) => [stage, from, apply, make] as const));

  test.each(cases)("%s of %s: a whole iteration leaves nothing behind", (_stage, _from, apply, make) =>
    leakFree(() => valuesOf(apply(make()))),
  );
  test.each(cases)("%s of %s: leaving after any element leaves nothing behind", (_stage, _from, apply, make) =>
    leakFree(async () => {
      for (let stop = 0; stop < 4; stop++) {
        let seen = 0;
        for await (const element of apply(make())) {
          tf.dispose(element);
          if (seen++ === stop) break;
        }
      }
    }),
  );
  test.each(cases)("%s of %s: an error after any element leaves nothing behind", (_stage, _from, apply, make) =>
    leakFree(async () => {
      for (let fail = 0; fail < 7; fail++) {
        let seen = 0;
        const failing = make().map((x) => {
          if (seen++ === fail) throw new Error("planted");
          return x;
        });
        const read = apply(failing).forEachAsync((element) => tf.dispose(element));
        await read.catch((error: unknown) => {
          expect(error).toMatchObject({ code: "E_DATA", reason: "map: planted" });
        });
      }
    }),
  );
});

describe("toArray and forEachAsync", () => {
  test("in order, awaiting each call", async () => {
    const seen: string[] = [];
    await data.range(2).forEachAsync(async (i) => {
      seen.push(`start ${i}`);
      await null;
      seen.push(`end ${i}`);
    });
    expect(seen).toEqual(["start 0", "end 0", "start 1", "end 1"]);
  });
  test("an error of the function is its own, and closes the pipeline", () =>
    leakFree(async () => {
      const error = new Error("mine");
      const ds = data
        .range(9)
        .map((i) => tf.tensor(i))
        .prefetch(3);
      await expect(
        ds.forEachAsync((x) => {
          x.dispose();
          throw error;
        }),
      ).rejects.toBe(error);
    }));
  test("abort rejects with its reason and leaves nothing behind", () =>
    leakFree(async () => {
      const reason = new Error("enough");
      for (const read of ["toArray", "forEachAsync"] as const) {
        const abort = new AbortController();
        const ds = data.range(200).map((i) => {
          if (i === 100) abort.abort(reason);
          return tf.tensor(i);
        });
        const options = { signal: abort.signal };
        const done = read === "toArray" ? ds.toArray(options) : ds.forEachAsync((x) => x.dispose(), options);
        await expect(done).rejects.toBe(reason);
      }
      await expect(data.range(1).toArray({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    }));
  test("toArray refuses a dataset without end", async () => {
    await expect(data.range(1).repeat().toArray()).rejects.toMatchObject({ code: "E_ARGUMENT" });
  });
  test("refuses unknown options", async () => {
    await expect(data.range(1).toArray({ sgnal: 1 } as object)).rejects.toMatchObject({
      reason: 'toArray: there is no option "sgnal" (did you mean "signal"?)',
    });
  });
});

describe("cardinality", () => {
  const five = data.range(5);
  const unknown = five.filter(() => true);
  const endless = five.repeat();
  test.each<[string, data.Dataset<unknown>, number]>([
    ["range", five, 5],
    ["filter", unknown, data.UNKNOWN],
    ["repeat", endless, data.INFINITE],
    ["repeat 3", five.repeat(3), 15],
    ["repeat 0 of unknown", unknown.repeat(0), 0],
    ["batch", five.batch(2), 3],
    ["batch of endless", endless.batch(2), data.INFINITE],
    ["take of endless", endless.take(3), 3],
    ["take of unknown", unknown.take(3), data.UNKNOWN],
    ["take 0 of unknown", unknown.take(0), 0],
    ["skip", five.skip(7), 0],
    ["skip of endless", endless.skip(7), data.INFINITE],
    ["concatenate", five.concatenate(five), 10],
    ["concatenate with unknown", five.concatenate(unknown), data.UNKNOWN],
    ["concatenate with endless", unknown.concatenate(endless), data.INFINITE],
    ["zip", data.zip([five, endless]), 5],
    ["zip of endless", data.zip([endless, endless]), data.INFINITE],
    ["zip with unknown", data.zip([five, unknown]), data.UNKNOWN],
    ["unbatch", five.batch(2).unbatch(), data.UNKNOWN],
    ["map", five.map((i) => i), 5],
    ["shuffle, prefetch, cache, enumerate", five.shuffle(2).prefetch(1).cache().enumerate(), 5],
  ])("%s", (_name, ds, want) => {
    expect(ds.cardinality()).toBe(want);
  });
});

describe("elementSpec", () => {
  const ds = data.fromTensorSlices({
    x: [
      [1, 2],
      [3, 4],
    ],
    y: Int32Array.of(5, 6),
  });
  test.each<[string, data.Dataset<unknown>, unknown]>([
    ["slices", ds, { x: { shape: [2], dtype: "float32" }, y: { shape: [], dtype: "int32" } }],
    ["batch", ds.batch(2), { x: { shape: [null, 2], dtype: "float32" }, y: { shape: [null], dtype: "int32" } }],
    [
      "batch without remainder",
      ds.batch(2, { dropRemainder: true }),
      { x: { shape: [2, 2], dtype: "float32" }, y: { shape: [2], dtype: "int32" } },
    ],
    ["unbatch", ds.batch(2).unbatch(), { x: { shape: [2], dtype: "float32" }, y: { shape: [], dtype: "int32" } }],
    ["numbers", data.range(3), { shape: [], dtype: "float32" }],
    [
      "lists",
      data.array([
        [1, 2],
        [3, 4],
      ]),
      { shape: [2], dtype: "float32" },
    ],
    ["lists that differ", data.array([[1, 2], [3]]), undefined],
    ["strings", data.array(["a"]), undefined],
    ["zip", data.zip([data.range(2), ds]), [{ shape: [], dtype: "float32" }, ds.elementSpec]],
    ["enumerate", ds.enumerate(), [{ shape: [], dtype: "float32" }, ds.elementSpec]],
    ["map", ds.map((x) => x), undefined],
    ["concatenate", ds.concatenate(ds), ds.elementSpec],
    ["concatenate of others", data.range(2).concatenate(ds), undefined],
  ])("%s", (_name, dataset, want) => {
    expect(dataset.elementSpec).toEqual(want);
  });
});

test("toString names the stages", () => {
  expect(String(data.range(3).shuffle(2).batch(2))).toBe("Dataset range → shuffle → batch");
});

describe("an abort while a stage works on its next element", () => {
  test.each<[string, (dataset: data.Dataset<unknown>, signal: AbortSignal) => Promise<unknown>]>([
    ["toArray", (dataset, signal) => dataset.toArray({ signal })],
    ["forEachAsync", (dataset, signal) => dataset.forEachAsync(() => {}, { signal })],
  ])("%s rejects at once, and frees what comes late", async (_, read) => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let isClosed = false;
    const slow = data.generator(async function* () {
      try {
        yield 1;
        await gate;
        yield tf.tensor([1]);
      } finally {
        isClosed = true;
      }
    });
    const before = tf.memory().numTensors;
    const [abort, reason] = [new AbortController(), new Error("enough")];
    const run = read(slow.prefetch(1), abort.signal);
    setImmediate(() => abort.abort(reason));
    await expect(run).rejects.toBe(reason);
    expect(isClosed).toBe(false);
    open();
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([isClosed, tf.memory().numTensors - before]).toEqual([true, 0]);
  });
});
