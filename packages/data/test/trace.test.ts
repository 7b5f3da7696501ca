import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { functionOf, leakFree, lineIn, numbers, type Row, rejection, rows, tensors, valuesOf } from "./helpers.js";

const thisFile = fileURLToPath(import.meta.url);
const lineOf = lineIn(readFileSync(thisFile, "utf8"));

afterEach(() => tf.setLogger());

describe("a traced function gives what it gives as JavaScript", () => {
  const outer = tf.tensor([1, 2, 3]);
  const table: [string, (x: Row) => unknown][] = [
    ["arithmetic", (x) => x.mul(2).add(1).sub(outer).exp()],
    ["the element", (x) => x],
    ["the element twice", (x) => ({ xs: x, ys: x })],
    ["a tensor from outside", (x) => ({ xs: x, ys: outer })],
    ["nested", (x) => [x.sum(), { a: x.reshape([1, 3]), b: [x.neg(), x.square()] }]],
    ["nothing beside tensors", (x) => ({ xs: x, ys: undefined, sampleWeight: null })],
    ["slices and joins", (x) => tf.concat([x.slice([1], [2]), tf.zeros([2]), x.reverse()])],
    ["reductions and casts", (x) => tf.stack([x.mean(), x.max(), x.greater(1).cast("float32").sum()])],
    ["a condition", (x) => tf.where(x.greater(outer), x, outer)],
    [
      "tf.cond",
      (x) =>
        tf.cond(
          x.sum().greater(10),
          () => x.neg(),
          () => x,
        ),
    ],
    ["a tf.function", tf.fn((x: Row) => x.div(3))],
    ["another dtype", (x) => x.cast("int32")],
    ["a seeded draw", (x) => x.add(tf.randomUniform([3], 0, 1, "float32", 7))],
  ];
  test.each(table)("%s", (_, f) =>
    leakFree(async () => {
      const traced = rows().map(f, { trace: true });
      const unasked = rows().map(f);
      const plain = await valuesOf(rows().map(f, { trace: false }));
      expect(await valuesOf(traced)).toEqual(plain);
      expect(await valuesOf(unasked)).toEqual(plain);
      expect(functionOf(unasked)).toMatchObject({
        runs: "traced",
        graphs: [expect.stringContaining("graph traced (")],
      });
      expect(`${unasked.explain()}`).toBe("fromTensorSlices\nmap: traced, 1 graph");
    }),
  );

  test("in the middle of a pipeline, over several epochs, with one graph", () =>
    leakFree(async () => {
      const make = (trace?: boolean): data.Dataset<unknown> => {
        const options = trace === undefined ? {} : { trace };
        const pairs = data.fromTensorSlices({ xs: numbers(40).map((i) => [i, i + 1]), ys: numbers(40) });
        return pairs
          .map(({ xs, ys }) => ({ xs: xs.div(40), ys: tf.equal(tf.mod(ys, 2), 0) }), options)
          .shuffle(10, 3)
          .filter(({ ys }) => ys, options)
          .batch(8)
          .map(({ xs, ys }) => [xs.mean(1), ys.cast("float32")], options)
          .repeat(2)
          .prefetch(2);
      };
      const ds = make();
      expect(await valuesOf(ds)).toEqual(await valuesOf(make(false)));
      expect(`${ds.explain()}`.split("\n")).toEqual([
        "fromTensorSlices",
        "map: traced, 1 graph",
        "shuffle",
        "filter: traced, 1 graph",
        "batch",
        "map: traced, 2 graphs",
        "repeat",
        "prefetch",
      ]);
    }));

  test("fresh random numbers for each element, traced and plain", async () => {
    for (const trace of [true, false]) {
      const ds = rows(6).map((x) => x.mul(0).add(tf.randomUniform([3])), { trace });
      const drawn = (await valuesOf(ds)).flat();
      expect(new Set(drawn).size).toBe(18);
      expect(functionOf(ds).runs).toBe(trace ? "traced" : "javascript");
    }
    const unasked = rows(6).map((x) => x.add(tf.randomNormal([3])));
    await valuesOf(unasked);
    expect(functionOf(unasked).runs).toBe("traced");
  });

  test("tf.print prints each element", async () => {
    const printed: string[] = [];
    tf.setLogger({ info: (message) => printed.push(message) });
    for (const trace of [true, false]) await valuesOf(rows(3).map((x) => tf.print(x.sum(), "sum"), { trace }));
    expect(printed).toHaveLength(6);
    expect(printed.slice(0, 3)).toEqual(printed.slice(3));
  });

  test("a variable is read, and assigned, at each call", async () => {
    const v = tf.variable(0);
    const ds = rows(3).map((x) => {
      v.assignAdd(1);
      return x.mul(0).add(v);
    });
    expect(await valuesOf(ds)).toEqual([
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ]);
    v.assign(10);
    expect((await valuesOf(ds))[0]).toEqual([11, 11, 11]);
    expect(functionOf(ds).runs).toBe("traced");
    v.dispose();
  });

  test("a tensor from outside that is replaced and freed is not used any more", async () => {
    let w: tf.Tensor = tf.tensor(1);
    const ds = rows(2).map((x) => x.mul(0).add(w));
    expect((await valuesOf(ds))[0]).toEqual([1, 1, 1]);
    w.dispose();
    w = tf.tensor(2);
    expect((await valuesOf(ds))[0]).toEqual([2, 2, 2]);
    w.dispose();
  });
});

test("functions that are run eagerly, for a debugger, run so here too", () =>
  leakFree(async () => {
    tf.runFunctionsEagerly(true);
    try {
      let calls = 0;
      const ds = rows(3).map((x) => {
        calls++;
        return x.mul(2);
      });
      expect((await valuesOf(ds))[2]).toEqual([12, 14, 16]);
      expect([calls, functionOf(ds).runs]).toEqual([3, "undecided"]);
    } finally {
      tf.runFunctionsEagerly(false);
    }
  }));

describe("sizes that vary", () => {
  const ragged = (sizes: readonly number[]): data.Dataset<tf.Tensor<[number]>> =>
    data.generator(function* () {
      for (const n of sizes) yield tf.range(0, n) as tf.Tensor<[number]>;
    });
  test("share a graph", async () => {
    const ds = ragged([3, 5, 4, 9, 5]).map((x) => tf.concat([x.mul(2), x.slice([1])]).sum());
    expect(await valuesOf(ds)).toEqual([3, 5, 4, 9, 5].map((n) => (3 * n * (n - 1)) / 2));
    expect(functionOf(ds)).toMatchObject({
      runs: "traced",
      graphs: [expect.any(String), expect.stringContaining("d0")],
    });
  });
  test("have a graph each where the function looks at one, at once or at a later size", async () => {
    for (const [graphs, sizes] of [
      [3, [3, 4, 5, 4]],
      [2, [3, 5, 7, 4]],
    ] as const) {
      const ds = ragged(sizes).map((x) => (x.shape[0] === 4 ? x.add(1) : x));
      expect(await valuesOf(ds)).toEqual(sizes.map((n) => numbers(n).map((i) => (n === 4 ? i + 1 : i))));
      expect(functionOf(ds)).toMatchObject({ runs: "traced", graphs: { length: graphs } });
      const computing = ragged(sizes).map((x) => x.mul(x.shape[0] * 2));
      expect(await valuesOf(computing)).toEqual(sizes.map((n) => numbers(n).map((i) => i * n * 2)));
    }
  });
  test("are JavaScript where there are too many", async () => {
    const sizes = numbers(30).map((i) => i + 1);
    const ds = ragged(sizes).map((x) => x.mul(x.shape[0] * 2));
    expect(await valuesOf(ds)).toEqual(sizes.map((n) => numbers(n).map((i) => i * n * 2)));
    expect(functionOf(ds)).toMatchObject({
      runs: "javascript",
      reason: expect.stringContaining("another graph for each"),
    });
  });
  test("structures have graphs of their own", () =>
    leakFree(async () => {
      const ds = rows(2)
        .concatenate(rows(2).map((x) => ({ x }), { trace: false }))
        .map((e) => ("x" in e ? e.x.neg() : e.add(1)));
      expect(await valuesOf(ds)).toEqual([
        [1, 2, 3],
        [4, 5, 6],
        [-0, -1, -2],
        [-3, -4, -5],
      ]);
      expect(functionOf(ds)).toMatchObject({ runs: "traced", graphs: { length: 2 } });
    }));
});

describe("filter", () => {
  test("by a tensor, traced or not", () =>
    leakFree(async () => {
      for (const trace of [undefined, true, false]) {
        const options = trace === undefined ? {} : { trace };
        const ds = rows().filter((x) => x.sum().greater(10), options);
        expect(await valuesOf(ds)).toEqual([
          [3, 4, 5],
          [6, 7, 8],
          [9, 10, 11],
        ]);
        expect(functionOf(ds).runs).toBe(trace === false ? "javascript" : "traced");
        const flags = data.fromTensorSlices([true, false, true]).filter((x) => x, options);
        expect(await valuesOf(flags)).toEqual([true, true]);
      }
    }));
  test("refuses a tensor that is no yes or no", () =>
    leakFree(async () => {
      // @ts-expect-error: a tensor of three is no yes or no
      const ds = rows().filter((x) => x.greater(1));
      expect((await rejection(ds.toArray())).message).toContain("or a bool tensor of shape []");
    }));
});

describe("errors", () => {
  test("inside the function keep stage, code, cause and the user's line, however it runs", () =>
    leakFree(async () => {
      const cause = new TypeError("boom"); // the error itself
      for (const options of [{}, { trace: true }, { trace: false }]) {
        const wrong = rows().map((x) => x.add(tf.zeros([4]) as tf.Tensor), options); // wrong shapes
        const shape = await rejection(wrong.toArray());
        expect([shape.code, shape.site?.line]).toEqual(["E_SHAPE", lineOf("wrong shapes")]);
        expect(shape.reason).toMatch(/^map: /);
        const failing = rows().map(() => {
          throw cause;
        }, options);
        const error = await rejection(failing.toArray());
        expect([error.code, error.reason, error.cause]).toEqual(["E_DATA", "map: boom", cause]);
        expect(error.site?.line).toBe(lineOf("the error itself"));
        // A function that failed is looked at again.
        if (options.trace === undefined) expect(functionOf(failing).runs).toBe("undecided");
      }
    }));
  const cause = new TypeError("boom");

  test("in a later element, of a function that reads", () =>
    leakFree(async () => {
      const failing = tensors(5).map((x) => {
        if (x.arraySync()[0] === 3) throw cause;
        return x.mul(2);
      });
      const error = await rejection(failing.toArray());
      expect([error.code, error.cause]).toEqual(["E_DATA", cause]);
      expect(functionOf(failing).reason).toBe("arraySync reads a value");
    }));

  test("an async function is called once, and refused", async () => {
    let calls = 0;
    const ds = rows().map(async (x) => {
      calls++;
      return x;
    });
    expect((await rejection(ds.toArray())).code).toBe("E_ASYNC_SCOPE");
    expect(calls).toBe(1);
  });

  test("{ trace: true } throws why a function cannot be traced", () =>
    leakFree(async () => {
      const refused: [data.Dataset<unknown>, string, string][] = [
        [rows().map((x) => x.dataSync()[0], { trace: true }), "E_SYNC_READ", "dataSync: "],
        [rows().map((x) => x.rank, { trace: true }), "E_ARGUMENT", "cannot be traced: it returns a number"],
        [data.range(2).map((i) => tf.scalar(i), { trace: true }), "E_ARGUMENT", "its element holds a number"],
        [rows().filter((x) => x.rank > 0, { trace: true }), "E_ARGUMENT", "it returns a boolean"],
        [rows().map(async (x) => x, { trace: true }), "E_ASYNC_SCOPE", "use mapAsync"],
      ];
      for (const [ds, code, text] of refused) {
        const error = await rejection(ds.toArray());
        expect(error.code).toBe(code);
        expect(error.message).toContain(text);
      }
    }));

  test("{ trace: true } traces what is impure, and warns of it once", async () => {
    const warnings: string[] = [];
    tf.setLogger({ warn: (message) => warnings.push(message) });
    const ds = rows().map((x) => x.mul(0).add(Math.random()), { trace: true }); // forced
    const values = (await valuesOf(ds)).flat();
    await valuesOf(ds);
    expect(new Set(values).size).toBe(1);
    expect(functionOf(ds).runs).toBe("traced");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("W_IMPURE_FUNCTION");
    expect(warnings[0]).toContain(`${thisFile}:${lineOf("forced")}:`);
  });

  test("options are checked", () => {
    // boundary: the errors are the subject
    const wrong = (options: unknown) => () => rows().map((x) => x, options as data.StageFunctionOptions);
    expect(wrong({ traced: true })).toThrow('there is no option "traced" (did you mean "trace"?)');
    expect(wrong({ trace: 1 })).toThrow("trace must be true or false, got 1");
  });

  test("an abort between elements leaves nothing", () =>
    leakFree(async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const seen: unknown[] = [];
      const reading = rows()
        .map((x) => x.add(1))
        .forEachAsync(
          (x) => {
            seen.push(x.arraySync());
            x.dispose();
            controller.abort(reason);
          },
          { signal: controller.signal },
        );
      await expect(reading).rejects.toBe(reason);
      expect(seen).toEqual([[1, 2, 3]]);
    }));
});

test("explain() goes into both sides of a zip, and prints itself", async () => {
  const ds = data.zip([rows().map((x) => x.neg()), data.range(4)]).batch(2);
  expect(`${ds.explain()}`).toBe("  fromTensorSlices\n  map: decided at its first element\n  range\nzip\nbatch");
  tf.dispose(await ds.toArray());
  const report = ds.explain();
  expect(report.stages.map(({ stage, level }) => [stage, level])).toEqual([
    ["fromTensorSlices", 1],
    ["map", 1],
    ["range", 1],
    ["zip", 0],
    ["batch", 0],
  ]);
  expect(report.stages[1]!.function?.graphs[0]).toContain("neg");
});
