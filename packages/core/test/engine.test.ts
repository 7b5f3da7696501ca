// What API.md and the design promise of tensors, variables, scopes and functions, on the reference backend.
import { inspect } from "node:util";
import * as tf from "@millrace/core";

tf.registerReferenceBackend();

const codeOf = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (error) {
    return tf.isMillraceError(error) ? error.code : `not a MillraceError: ${String(error)}`;
  }
  return undefined;
};

describe("tensors", () => {
  test("know their shape, dtype, rank and size", () => {
    const x = tf.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([x.shape, x.dtype, x.rank, x.size, x.device]).toEqual([[2, 3], "float32", 2, 6, "reference:0"]);
  });
  test("are read as typed arrays, nested arrays and items; reads are copies", async () => {
    const x = tf.tensor([
      [1, 2],
      [3, 4],
    ]);
    const data = await x.data();
    data[0] = 99;
    expect(await x.array()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(x.dataSync()).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(tf.scalar(7, "int64").itemSync()).toBe(7n);
    expect(tf.tensor([true, false]).arraySync()).toEqual([true, false]);
    expect(codeOf(() => x.itemSync())).toBe("E_SHAPE");
  });
  test("are written to JSON without values, also while tracing", () => {
    const text = (x: tf.Tensor): string => JSON.stringify({ x });
    expect(text(tf.ones([2, 3], "int32"))).toBe('{"x":{"dtype":"int32","shape":[2,3],"device":"reference:0"}}');
    expect(text(tf.variable([1]))).toBe('{"x":{"dtype":"float32","shape":[1],"device":"reference:0"}}');
    let traced = "";
    const f = tf.fn((x: tf.Tensor) => {
      traced = text(x);
      return x;
    });
    f(tf.ones([4]));
    expect(traced).toMatch(/"shape":\[4\]/);
  });
  test("never become a silent NaN", () => {
    const x = tf.scalar(1);
    expect(() => Number(x)).toThrow(/item/);
    // boundary: what plain JavaScript might write
    expect(() => (x as unknown as number) + 1).toThrow(/tf.add/);
    expect(`${x}`).toBe("Tensor float32[] on reference:0");
    expect(
      inspect(
        tf.tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toBe("Tensor float32[2,2] on reference:0\n[[1, 2],\n [3, 4]]");
  });
  test("show their corners where they are large", () => {
    const shown = inspect(tf.range(0, 100_000).reshape([100, 1000])).split("\n");
    expect(shown[1]).toBe("[[0, 1, 2, …, 997, 998, 999],");
    expect(shown.at(-1)).toBe(" [99000, 99001, 99002, …, 99997, 99998, 99999]]");
    expect(inspect(tf.zeros([1001, 1000]))).toBe("Tensor float32[1001,1000] on reference:0");
  });
  test("are unusable after dispose, and say so", () => {
    const x = tf.tensor([1]);
    x.dispose();
    x.dispose();
    expect(x.isDisposed).toBe(true);
    expect(codeOf(() => x.dataSync())).toBe("E_DISPOSED");
    expect(codeOf(() => tf.neg(x))).toBe("E_DISPOSED");
    expect(x.shape).toEqual([1]);
  });
  test("refuse rows of different lengths and things that are no numbers", () => {
    // boundary: what plain JavaScript might write
    expect(codeOf(() => tf.tensor([[1, 2], [3]] as unknown as number[][]))).toBe("E_SHAPE");
    // boundary: as above
    expect(codeOf(() => tf.tensor(["a"] as unknown as number[]))).toBe("E_DTYPE");
  });
});

describe("ops", () => {
  test("promote and broadcast", () => {
    const y = tf.add(tf.tensor([1, 2], [2, 1], "int32"), tf.tensor([10, 20]));
    expect([y.dtype, y.arraySync()]).toEqual([
      "float32",
      [
        [11, 21],
        [12, 22],
      ],
    ]);
    expect(tf.add(tf.tensor([1, 2], [2], "int32"), 1).dtype).toBe("int32");
    expect(codeOf(() => tf.add(tf.tensor([1, 2], [2], "int32"), 1.5))).toBe("E_DTYPE");
  });
  test("refuse shapes with op, shapes, rule, the user's line and the repair that fits", () => {
    const [a, b] = [tf.zeros([2, 3]) as tf.Tensor, tf.zeros([5, 3]) as tf.Tensor];
    try {
      tf.matMul(a, b);
      throw new Error("it was not refused");
    } catch (error) {
      if (!tf.isMillraceError(error)) throw error;
      expect(error.code).toBe("E_SHAPE");
      expect(error.op).toBeDefined();
      expect(error.shapes).toEqual([
        [2, 3],
        [5, 3],
      ]);
      expect(error.message).toContain("[2,3]");
      expect(error.message).toContain("transposeB: true would give");
      expect(error.site?.file).toContain("engine.test.ts");
    }
  });
  test("the same bits whether an op meets a size first or again", () => {
    for (const n of [8, 9, 8, 1, 0, 9])
      expect(tf.add(tf.ones([n]), tf.ones([n])).dataSync()).toEqual(new Float32Array(n).fill(2));
  });
});

describe("variables", () => {
  test("stay disposed of", () => {
    const v = tf.variable([1]);
    v.dispose();
    expect(codeOf(() => v.assign([2]))).toBe("E_DISPOSED");
    expect(codeOf(() => v.assignAdd([2]))).toBe("E_DISPOSED");
    expect(v.isDisposed).toBe(true);
  });
  test("are read at that moment; a snapshot stays", () => {
    const v = tf.variable([1, 2]);
    const before = v.read();
    v.assign(tf.tensor([3, 4]));
    expect(before.arraySync()).toEqual([1, 2]);
    expect(tf.add(v, 0).arraySync()).toEqual([3, 4]);
    expect(v.assignAdd([1, 1])).toBe(v);
    v.assignSub([0, 5]);
    expect(v.arraySync()).toEqual([4, 0]);
  });
  test("keep their shape and dtype", () => {
    const v = tf.variable([1, 2], { name: "w", trainable: false });
    expect([v.name, v.trainable]).toEqual(["w", false]);
    // boundary: what plain JavaScript might write
    expect(codeOf(() => v.assign(tf.zeros([3]) as never))).toBe("E_SHAPE");
    expect(codeOf(() => v.assign(tf.zeros([2], "int32") as never))).toBe("E_DTYPE");
    expect(v.arraySync()).toEqual([1, 2]);
  });
  test("share no memory with what they were assigned from", () => {
    const x = tf.tensor([1, 2]);
    const v = tf.variable(x);
    x.dispose();
    expect(v.arraySync()).toEqual([1, 2]);
  });
});

describe("scopes", () => {
  test("tidy disposes of what was made inside and keeps what is returned or kept", () => {
    const before = tf.memory().numTensors;
    const kept: tf.Tensor[] = [];
    const y = tf.tidy(() => {
      const x = tf.tensor([1, 2]);
      kept.push(tf.keep(tf.neg(x)));
      return { z: tf.add(x, 1) };
    });
    expect(tf.memory().numTensors).toBe(before + 2);
    expect(kept[0]!.arraySync()).toEqual([-1, -2]);
    tf.dispose([y, kept]);
    expect(tf.memory().numTensors).toBe(before);
  });
  test("refuse async functions", () => {
    expect(codeOf(() => tf.tidy(async () => tf.zeros([1])))).toBe("E_ASYNC_SCOPE");
    expect(codeOf(() => tf.device("reference:0", async () => 1))).toBe("E_ASYNC_SCOPE");
    expect(codeOf(() => tf.fn(async (x: tf.Tensor) => x)(tf.zeros([1])))).toBe("E_ASYNC_SCOPE");
  });
  test("leave no failure behind of the async function that they refuse", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): unknown => unhandled.push(error);
    process.on("unhandledRejection", note);
    expect(codeOf(() => tf.fn(async (x: tf.Tensor) => (await x.data())[0])(tf.zeros([1])))).toBe("E_ASYNC_SCOPE");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
  test("a device that is not there is named with those that are", () => {
    expect(() => tf.device("cuda:7", () => 0)).toThrow(/no device is called cuda:7; there are reference:0/);
  });
});

describe("tf.function", () => {
  test("traces once for a type and runs the graph", () => {
    let calls = 0;
    const f = tf.fn((x: tf.Tensor) => {
      calls++;
      return tf.add(tf.mul(x, x), 1);
    });
    expect(f(tf.tensor([1, 2])).arraySync()).toEqual([2, 5]);
    expect(f(tf.tensor([3, 4])).arraySync()).toEqual([10, 17]);
    expect([calls, f.tracingCount()]).toEqual([1, 1]);
  });
  test("a second size makes the trace take any size", () => {
    const f = tf.fn((x: tf.Tensor) => tf.sum(tf.reshape(x, [-1, 2]), 0));
    for (const n of [2, 3, 4, 100, 7]) {
      const x = tf.ones([n, 2]);
      expect(f(x).arraySync()).toEqual([n, n]);
    }
    expect(f.tracingCount()).toBe(2);
  });
  test("shows the graph of a call as text", () => {
    const f = tf.fn(function scaled(x: tf.Tensor, k: number) {
      return tf.mul(x, k);
    });
    const graph = f.graph(tf.tensor([2, 3]), 4);
    expect(`${graph}`).toBe(
      [
        "graph traced (%0: float32[2]) {",
        '  %1: float32[] = constant() {data: Float32Array(4), dtype: "float32", shape: []}',
        "  %2: float32[2] = broadcastInDim(%1) {dims: [], shape: [2]}",
        "  %3: float32[2] = mul(%0, %2)",
        "  return %3",
        "}",
      ].join("\n"),
    );
    expect(inspect(graph)).toBe(`${graph}`);
    f(tf.tensor([5, 6]), 4);
    expect([f.name, f.tracingCount()]).toEqual(["scaled", 1]);
  });
  test("keeps the traces that are used, and warns where there are many", () => {
    const warnings: string[] = [];
    tf.setLogger({ warn: (message) => warnings.push(message) });
    const f = tf.fn(function scaled(x: tf.Tensor, factor: number) {
      return x.mul(factor);
    });
    const x = tf.tensor([2]);
    const before = tf.memory().backends.reference!;
    for (let step = 1; step <= 300; step++) {
      expect(f(x, step).arraySync()).toEqual([2 * step]);
      expect(f(x, 0.5).arraySync()).toEqual([1]);
    }
    tf.setLogger();
    expect(f.tracingCount()).toBe(301);
    expect(tf.memory().backends.reference!.executables - before.executables).toBeLessThanOrEqual(128);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^W_RETRACED: the function scaled \(called at .*engine\.test\.ts:\d+:\d+\) was traced 6 times\. This time argument 1 was 4 and became 5\./,
      ),
    ]);
  });
  test("may call itself, if not without end", () => {
    const power: (x: tf.Tensor, n: number) => tf.Tensor = tf.fn(
      (x: tf.Tensor, n: number): tf.Tensor => (n === 0 ? tf.ones([]) : tf.mul(x, power(x, n - 1))),
    );
    expect(power(tf.scalar(2), 10).itemSync()).toBe(1024);
    const endless: (x: tf.Tensor) => tf.Tensor = tf.fn((x: tf.Tensor): tf.Tensor => endless(x));
    expect(codeOf(() => endless(tf.scalar(1)))).toBe("E_ARGUMENT");
  });
  test("an input signature serves every size with one trace", () => {
    const f = tf.fn((x: tf.Tensor) => tf.mean(x, 0), { inputSignature: [{ shape: [null, 3] }] });
    for (const n of [5, 1, 64]) expect(f(tf.ones([n, 3])).arraySync()).toEqual([1, 1, 1]);
    expect(f.tracingCount()).toBe(1);
    expect(codeOf(() => f(tf.ones([2, 4])))).toBe("E_SHAPE");
  });
  test("other values of plain arguments are other traces", () => {
    const f = tf.fn((x: tf.Tensor, k: number) => tf.mul(x, k));
    expect(f(tf.tensor([2]), 3).arraySync()).toEqual([6]);
    expect(f(tf.tensor([2]), 4).arraySync()).toEqual([8]);
    expect(f(tf.tensor([5]), 3).arraySync()).toEqual([15]);
    expect(f.tracingCount()).toBe(2);
  });
  test("takes and returns nested structures", () => {
    const f = tf.fn((p: { x: tf.Tensor; rest: tf.Tensor[] }) => ({ a: [tf.add(p.x, p.rest[0]!)], b: "text" }));
    const y = f({ x: tf.tensor([1]), rest: [tf.tensor([2])] });
    expect([y.a[0]!.arraySync(), y.b]).toEqual([[3], "text"]);
  });
  test("captures tensors and reads variables when it runs", () => {
    const c = tf.tensor([10]);
    const v = tf.variable([1]);
    const f = tf.fn((x: tf.Tensor) => tf.add(tf.add(x, c), v));
    expect(f(tf.tensor([1])).arraySync()).toEqual([12]);
    v.assign(tf.tensor([5]));
    expect(f(tf.tensor([1])).arraySync()).toEqual([16]);
    expect(f.tracingCount()).toBe(1);
  });
  test("assigns variables, in the order of the program", () => {
    const v = tf.variable(1);
    const f = tf.fn(() => {
      v.assignAdd(1);
      const seen = tf.mul(v, 10);
      v.assign(tf.mul(v, 2) as typeof v);
      return seen;
    });
    expect([f().itemSync(), v.itemSync()]).toEqual([20, 4]);
    expect([f().itemSync(), v.itemSync()]).toEqual([50, 10]);
  });
  test("reading a tracer is refused, inside and after the trace", () => {
    let leaked: tf.Tensor | undefined;
    const f = tf.fn((x: tf.Tensor) => {
      leaked = tf.neg(x);
      return x;
    });
    f(tf.tensor([1]));
    expect(codeOf(() => leaked!.dataSync())).toBe("E_TRACER_LEAK");
    expect(() => leaked!.itemSync()).toThrow(
      /^itemSync: .*\(made at \S*engine\.test\.ts:\d+:\d+\).*\n {2}at \S*engine\.test\.ts/,
    );
    expect(codeOf(() => tf.add(leaked!, 1))).toBe("E_TRACER_LEAK");
    expect(codeOf(() => tf.fn((x: tf.Tensor) => x.dataSync())(tf.tensor([1])))).toBe("E_SYNC_READ");
    expect(codeOf(() => tf.fn((x: tf.Tensor) => x.itemSync())(tf.tensor([1, 2])))).toBe("E_SYNC_READ");
  });
  test("a failing call leaves variables as they were, and the function usable", () => {
    const v = tf.variable([1, 2]);
    const f = tf.fn((x: tf.Tensor) => {
      v.assign(tf.zeros([2]));
      return tf.add(v, x);
    });
    expect(codeOf(() => f(tf.zeros([3])))).toBe("E_SHAPE");
    expect(v.arraySync()).toEqual([1, 2]);
    expect(f(tf.ones([2])).arraySync()).toEqual([1, 1]);
  });
  test("nested functions are one graph", () => {
    const inner = tf.fn((x: tf.Tensor) => tf.mul(x, 2));
    const outer = tf.fn((x: tf.Tensor) => tf.add(inner(x), inner(inner(x))));
    expect(outer(tf.tensor([1])).arraySync()).toEqual([6]);
  });
  test("runFunctionsEagerly runs the JavaScript each time", () => {
    let calls = 0;
    const f = tf.fn((x: tf.Tensor) => {
      calls++;
      return x;
    });
    tf.runFunctionsEagerly(true);
    f(tf.tensor([1]));
    f(tf.tensor([1]));
    tf.runFunctionsEagerly(false);
    expect(calls).toBe(2);
  });
  test("a function draws new random numbers at each call, and the same ones again from a seed", () => {
    const f = tf.fn(() => tf.randomUniform([4]));
    const draw = (): number[] => Array.from(f().dataSync());
    tf.setRandomSeed(7);
    const [a, b] = [draw(), draw()];
    expect(a).not.toEqual(b);
    tf.setRandomSeed(7);
    expect([draw(), draw()]).toEqual([a, b]);
    expect(f.tracingCount()).toBe(1);
  });
});

describe("messages", () => {
  test("print writes to the logger, in eager code and when a program runs", () => {
    const lines: string[] = [];
    tf.setLogger({ info: (m) => lines.push(m) });
    const f = tf.fn((x: tf.Tensor) => tf.add(tf.print(tf.neg(x), "inside"), 1));
    f(tf.tensor([1, 2]));
    f(tf.tensor([3, 4]));
    tf.print(tf.tensor([5]), "outside");
    tf.setLogger();
    expect(lines).toEqual(["inside float32[2] [-1, -2]", "inside float32[2] [-3, -4]", "outside float32[1] [5]"]);
  });
  test("an option that does not exist is refused with the nearest one", () => {
    // boundary: what plain JavaScript might write
    expect(() => tf.variable([1], { trainible: false } as never)).toThrow(/did you mean "trainable"/);
    // boundary: as above
    expect(codeOf(() => tf.fn((x: tf.Tensor) => x, { inputSignatures: [] } as never))).toBe("E_ARGUMENT");
  });
});
