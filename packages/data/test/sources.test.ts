import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { leakFree, plain, rejection, valuesOf } from "./helpers.js";

describe("array", () => {
  test("gives its items as they are, each time", async () => {
    const items = [1, "two", { three: [3] }, null];
    const ds = data.array<unknown>(items);
    expect(await ds.toArray()).toEqual(items);
    expect(await ds.toArray()).toEqual(items);
    expect(ds.cardinality()).toBe(4);
  });
  test("reads tensors at once, and leaves them to their owner", () =>
    leakFree(async () => {
      const x = tf.tensor([1, 2]);
      const ds = data.array([{ x, n: 5 }]);
      x.dispose();
      expect(await valuesOf(ds)).toEqual([{ x: [1, 2], n: 5 }]);
      expect(await valuesOf(ds)).toEqual([{ x: [1, 2], n: 5 }]);
    }));
  test("later changes of the list are not seen", async () => {
    const items = [1, 2];
    const ds = data.array(items);
    items.push(3);
    expect(await ds.toArray()).toEqual([1, 2]);
  });
  test("refuses what is no array", () => {
    // boundary: the error is the subject
    expect(() => data.array(new Set([1]) as unknown as number[])).toThrow("array: needs an array, got object");
  });
});

describe("fromTensorSlices", () => {
  test("slices tensors, typed arrays and nested arrays", () =>
    leakFree(async () => {
      const t = tf.tensor([1, 2, 3, 4, 5, 6], [3, 2], "int32");
      const ds = data.fromTensorSlices({ t, a: Float64Array.of(7, 8, 9), n: [[true], [false], [true]] });
      t.dispose();
      const [first, ...rest] = await ds.toArray();
      expect([first!.t.dtype, first!.a.dtype, first!.n.dtype]).toEqual(["int32", "float64", "bool"]);
      expect(plain([first, ...rest])).toEqual([
        { t: [1, 2], a: 7, n: [true] },
        { t: [3, 4], a: 8, n: [false] },
        { t: [5, 6], a: 9, n: [true] },
      ]);
      tf.dispose([first, ...rest]);
    }));
  test("a list is a structure where it holds tensors, a value where it holds numbers", async () => {
    expect(await valuesOf(data.fromTensorSlices([Int32Array.of(1, 2), Int32Array.of(3, 4)]))).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(
      await valuesOf(
        data.fromTensorSlices([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
  test("keeps the exact elements of every dtype", async () => {
    const big = BigInt64Array.of(2n ** 62n, -1n);
    expect(await valuesOf(data.fromTensorSlices(big))).toEqual([2n ** 62n, -1n]);
    expect(await valuesOf(data.fromTensorSlices(Uint8Array.of(255)))).toEqual([255]);
    const flags = tf.tensor([true, false]);
    expect(await valuesOf(data.fromTensorSlices(flags))).toEqual([true, false]);
    flags.dispose();
  });
  test("takes empty tensors", async () => {
    expect(await valuesOf(data.fromTensorSlices(new Float32Array(0)))).toEqual([]);
    const flat = tf.zeros([2, 0, 3]);
    expect(await valuesOf(data.fromTensorSlices(flat).batch(2))).toEqual([[[], []]]);
    flat.dispose();
  });
  test.each([
    ["leaves of different lengths", { x: [1, 2], y: [1] }, "E_SHAPE", "fromTensorSlices: x has 2 slices, y has 1"],
    ["scalars", { x: 3 }, "E_SHAPE", "fromTensorSlices: x has no axis to slice along"],
    ["strings", { x: [1], y: "no" }, "E_DTYPE", "fromTensorSlices: y is no tensor and no array of numbers"],
    ["nothing", {}, "E_ARGUMENT", "fromTensorSlices: needs at least one tensor or array"],
    ["ragged rows", [[1, 2], [3]], "E_SHAPE", "different lengths along axis 1"],
    ["mixed kinds", [1, true], "E_DTYPE", "holds a boolean beside values of float32"],
  ])("refuses %s", (_name, value, code, message) => {
    expect(() => data.fromTensorSlices(value)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
  test("a tensor that is gone is an error of the first iteration", async () => {
    const x = tf.tensor([1]);
    x.dispose();
    expect((await rejection(data.fromTensorSlices(x).toArray())).code).toBe("E_DISPOSED");
  });
});

describe("fromTensors", () => {
  test("is one element", () =>
    leakFree(async () => {
      const ds = data.fromTensors({ x: [[1, 2]], n: 3 });
      expect(ds.cardinality()).toBe(1);
      expect(await valuesOf(ds.repeat(2))).toEqual([
        { x: [[1, 2]], n: 3 },
        { x: [[1, 2]], n: 3 },
      ]);
    }));
});

describe("range", () => {
  test.each([
    [[4], [0, 1, 2, 3]],
    [
      [2, 5],
      [2, 3, 4],
    ],
    [
      [0, 1, 0.25],
      [0, 0.25, 0.5, 0.75],
    ],
    [
      [5, 0, -2],
      [5, 3, 1],
    ],
    [[3, 3], []],
    [[3, 0], []],
  ] as const)("%j", async ([start, stop, step], want) => {
    const ds = stop === undefined ? data.range(start) : data.range(start, stop, step);
    expect(await ds.toArray()).toEqual(want);
    expect(ds.cardinality()).toBe(want.length);
  });
  test("without end", async () => {
    const ds = data.range(0, Number.POSITIVE_INFINITY);
    expect(ds.cardinality()).toBe(data.INFINITE);
    expect(await ds.take(3).toArray()).toEqual([0, 1, 2]);
  });
  test("refuses a step of 0", () => expect(() => data.range(0, 1, 0)).toThrow("range: needs numbers"));
});

describe("generator", () => {
  test("calls the function for each iteration", async () => {
    let calls = 0;
    const ds = data.generator(function* () {
      calls++;
      yield* [1, 2];
    });
    expect(await ds.toArray()).toEqual([1, 2]);
    expect(await ds.toArray()).toEqual([1, 2]);
    expect(calls).toBe(2);
    expect(ds.cardinality()).toBe(data.UNKNOWN);
  });
  test("takes async generators, promises of iterators, iterators and iterables", async () => {
    async function* later(): AsyncGenerator<number> {
      yield 1;
      yield 2;
    }
    function counter(): Iterator<number> {
      let i = 0;
      return { next: () => (i < 2 ? { done: false, value: ++i } : { done: true, value: undefined }) };
    }
    const sources: data.GeneratorSource<number>[] = [later, async () => later(), counter, [1, 2], new Set([1, 2])];
    for (const source of sources) expect(await data.generator(source).toArray()).toEqual([1, 2]);
  });
  test("an iterator can be read once", async () => {
    function* numbers(): Generator<number> {
      yield 1;
    }
    const kept = numbers();
    for (const source of [numbers(), () => kept]) {
      const ds = data.generator(source);
      expect(await ds.toArray()).toEqual([1]);
      const error = await rejection(ds.toArray());
      expect(error.code).toBe("E_EXHAUSTED");
      expect(error.message).toContain("pass the generator function, not its result");
    }
  });
  test("tensors that were there before are copied, new ones are taken over", () =>
    leakFree(async () => {
      const label = tf.tensor(1);
      const weight = tf.tidy(() => tf.variable(2));
      const ds = data.generator(function* () {
        for (let i = 0; i < 3; i++) yield { x: tf.tensor([i]), label, weight };
      });
      expect(await valuesOf(ds)).toEqual([0, 1, 2].map((i) => ({ x: [i], label: 1, weight: 2 })));
      for await (const batch of ds.batch(2)) tf.dispose(batch);
      expect(label.arraySync()).toBe(1);
      label.dispose();
      weight.dispose();
    }));
  test("leaving early runs its finally block", async () => {
    const events: string[] = [];
    const ds = data.generator(async function* () {
      try {
        yield* [1, 2, 3];
      } finally {
        events.push("closed");
      }
    });
    for await (const x of ds.map((n) => n * 2).prefetch(1)) {
      events.push(`got ${x}`);
      break;
    }
    expect(events).toEqual(["got 2", "closed"]);
  });
  test("its error has the stage's name and keeps the cause", async () => {
    const cause = new Error("no file");
    const error = await rejection(
      data
        .generator(function* () {
          yield 1;
          throw cause;
        })
        .toArray(),
    );
    expect([error.code, error.reason, error.op, error.cause]).toEqual([
      "E_DATA",
      "generator: no file",
      "generator",
      cause,
    ]);
  });
  test("refuses what gives no elements", async () => {
    // boundary: the error is the subject
    expect(() => data.generator(3 as unknown as Iterable<number>)).toThrow("generator: needs a generator function");
    // boundary: the error is the subject
    const ds = data.generator((() => 3) as unknown as () => Iterator<number>);
    expect((await rejection(ds.toArray())).message).toContain("must return an iterator or an iterable");
  });
});

describe("zip", () => {
  test("puts elements side by side, as long as the shortest", async () => {
    const ds = data.zip({ x: data.range(3), pair: [data.array(["a", "b"]), data.range(5, 9)] });
    expect(ds.cardinality()).toBe(2);
    expect(await ds.toArray()).toEqual([
      { x: 0, pair: ["a", 5] },
      { x: 1, pair: ["b", 6] },
    ]);
  });
  test("a zipped pair of numbers is two leaves", async () => {
    const ds = data.zip([
      data.array([
        [0, 0],
        [0, 1],
      ]),
      data.array([0, 1]),
    ]);
    expect(await valuesOf(ds.batch(2))).toEqual([
      [
        [
          [0, 0],
          [0, 1],
        ],
        [0, 1],
      ],
    ]);
  });
  test("frees what has no partner", () =>
    leakFree(async () => {
      const tensors = (n: number) => data.range(n).map((i) => tf.tensor(i));
      expect(await valuesOf(data.zip([tensors(5), tensors(3)]).batch(4))).toEqual([
        [
          [0, 1, 2],
          [0, 1, 2],
        ],
      ]);
    }));
  test("frees the others when one fails, and closes all", () =>
    leakFree(async () => {
      let isClosed = false;
      const good = data.generator(function* () {
        try {
          for (;;) yield tf.tensor(1);
        } finally {
          isClosed = true;
        }
      });
      const bad = data.range(3).map((i) => {
        if (i === 2) throw new Error("third");
        return tf.tensor(i);
      });
      expect((await rejection(data.zip([good, bad]).batch(4).toArray())).reason).toBe("map: third");
      expect(isClosed).toBe(true);
    }));
  test("refuses what is no dataset", () => {
    // boundary: the error is the subject
    const wrong = 3 as unknown as data.Dataset<number>;
    expect(() => data.zip({ a: data.range(1), b: wrong })).toThrow("zip: needs datasets");
  });
});
