// What API.md promises of gradients and tapes.
import { readFileSync } from "node:fs";
import * as tf from "@millrace/autodiff";
import { ReferenceBackend } from "@millrace/core/backend";
import { applyOp, defineOp, noRule } from "@millrace/core/extend";

tf.registerReferenceBackend();

const codeOf = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (error) {
    return tf.isMillraceError(error) ? error.code : `not a MillraceError: ${String(error)}`;
  }
  return undefined;
};

describe("gradients of functions", () => {
  test("grad of x² is 2x", () => {
    const x = tf.tensor([1, 2, 3]);
    expect(
      tf
        .grad((v) => tf.mul(v, v))(x)
        .arraySync(),
    ).toEqual([2, 4, 6]);
  });
  test("with a cotangent for the result", () => {
    const x = tf.tensor([1, 2, 3]);
    expect(
      tf
        .grad((v) => tf.square(v))(x, tf.tensor([1, 0, 10]))
        .arraySync(),
    ).toEqual([2, 0, 60]);
  });
  test("the second and third derivative, by nesting", () => {
    const x = tf.tensor([1, 2, 3]);
    const cube = (v: tf.Tensor): tf.Tensor => tf.mul(tf.mul(v, v), v);
    expect(tf.grad(tf.grad(cube))(x).arraySync()).toEqual([6, 12, 18]);
    expect(
      tf
        .grad(tf.grad(tf.grad(cube)))(x)
        .arraySync(),
    ).toEqual([6, 6, 6]);
  });
  test("grads, and the value beside them", () => {
    const { value, grads } = tf.valueAndGrads((a, b) => tf.sum(tf.mul(a!, b!)))([tf.tensor([1, 2]), tf.tensor([3, 4])]);
    expect(value.itemSync()).toBe(11);
    expect(grads.map((g) => g.arraySync())).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });
  test("a value that does not depend on an argument is an error, not a silent null", () => {
    expect(codeOf(() => tf.grads((a) => tf.neg(a!))([tf.tensor([1]), tf.tensor([2])]))).toBe("E_GRADIENT");
  });
  test("leave no tensors behind but their results", () => {
    const x = tf.tensor([1, 2, 3]);
    const before = tf.memory().numTensors;
    const g = tf.grad((v) => tf.sum(tf.exp(tf.mul(v, v))))(x);
    expect(tf.memory().numTensors).toBe(before + 1);
    g.dispose();
  });
});

describe("variableGrads", () => {
  test("names the gradients of the trainable variables that were read", () => {
    const w = tf.variable([2, 3], { name: "w" });
    const fixed = tf.variable([1, 1], { name: "fixed", trainable: false });
    const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(tf.mul(w, w), fixed)));
    expect(value.itemSync()).toBe(13);
    expect(Object.keys(grads)).toEqual(["w"]);
    expect(grads.w!.arraySync()).toEqual([4, 6]);
  });
  test("a function that reads none says so", () => {
    expect(codeOf(() => tf.variableGrads(() => tf.scalar(1)))).toBe("E_VARIABLE");
  });
  test("in tf.function a whole training step is one trace", () => {
    const w = tf.variable([1, 2]);
    const step = tf.fn((x: tf.Tensor) => {
      const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(tf.mul(w, w), x)), [w]);
      w.assignSub(tf.mul(grads[w.name]!, 0.1) as typeof w);
      return value;
    });
    const x = tf.tensor([1, 10]);
    expect(step(x).itemSync()).toBe(41);
    expect(Array.from(w.dataSync(), (v) => Math.round(Number(v) * 1e6) / 1e6)).toEqual([0.8, -2]);
    step(x);
    expect(step.tracingCount()).toBe(1);
  });
});

describe("GradientTape", () => {
  test("records nothing by itself, what runs in run, and gives the structure of the sources", () => {
    const tape = new tf.GradientTape();
    const [a, b] = [tf.scalar(3), tf.scalar(4)];
    const y = tape.run(() => {
      tape.watch([a, b]);
      return tf.mul(tf.mul(a, a), b);
    });
    const g = tape.gradient(y, { a, nested: b });
    expect([g.a.itemSync(), g.nested.itemSync()]).toEqual([24, 9]);
  });
  test("unconnected sources are null, or zeros on demand", () => {
    const [a, b] = [tf.tensor([1, 2]), tf.tensor([3, 4])];
    const make = (): [tf.GradientTape, tf.Tensor] => {
      const tape = new tf.GradientTape();
      return [
        tape,
        tape.run(() => {
          tape.watch([a, b]);
          return tf.sum(a);
        }),
      ];
    };
    const [t1, y1] = make();
    expect(t1.gradient(y1, [a, b] as const)[1]).toBeNull();
    const [t2, y2] = make();
    expect(t2.gradient(y2, b, { unconnectedGradients: "zero" }).arraySync()).toEqual([0, 0]);
  });
  test("gives one gradient, or many when persistent", () => {
    const x = tf.scalar(3);
    const tape = new tf.GradientTape();
    const y = tape.run(() => {
      tape.watch(x);
      return tf.square(x);
    });
    tape.gradient(y, x);
    expect(codeOf(() => tape.gradient(y, x))).toBe("E_ARGUMENT");
    const persistent = new tf.GradientTape({ persistent: true });
    const [p, q] = persistent.run(() => {
      persistent.watch(x);
      return [tf.square(x), tf.mul(x, 5)] as const;
    });
    expect([persistent.gradient(p, x).itemSync(), persistent.gradient(q, x).itemSync()]).toEqual([6, 5]);
  });
  test("nested tapes give higher derivatives", () => {
    const x = tf.scalar(3);
    const outer = new tf.GradientTape();
    const first = outer.run(() => {
      outer.watch(x);
      const inner = new tf.GradientTape();
      const y = inner.run(() => {
        inner.watch(x);
        return tf.mul(tf.mul(x, x), x);
      });
      return inner.gradient(y, x);
    });
    expect([first.itemSync(), outer.gradient(first, x).itemSync()]).toEqual([27, 18]);
  });
  test("stopRecording and stopGradient cut the path", () => {
    const x = tf.scalar(3);
    const tape = new tf.GradientTape({ persistent: true });
    const [y, z] = tape.run(() => {
      tape.watch(x);
      const hidden = tape.stopRecording(() => tf.square(x));
      return [tf.add(hidden, x), tf.add(tf.stopGradient(tf.square(x)), x)] as const;
    });
    expect([tape.gradient(y, x).itemSync(), tape.gradient(z, x).itemSync()]).toEqual([1, 1]);
  });
  test("a variable that is assigned between two reads counts for both", () => {
    const v = tf.variable(2);
    const tape = new tf.GradientTape();
    const y = tape.run(() => {
      const a = tf.square(v);
      v.assign(tf.scalar(5));
      return tf.add(a, tf.mul(v, 3));
    });
    expect(y.itemSync()).toBe(19);
    expect(tape.gradient(y, v).itemSync()).toBe(7);
  });
  test("a scope of record closes itself at the first await", async () => {
    const x = tf.scalar(3);
    const tape = new tf.GradientTape();
    tape.watch(x);
    const scope = tape.record();
    const y = tf.square(x);
    await null;
    const after = tf.square(x);
    expect(codeOf(() => tape.gradient(y, x))).toBe("E_ASYNC_SCOPE");
    expect(() => tape.gradient(after, x)).toThrow(/tape.test.ts/);
    scope[Symbol.dispose]();
  });
  test("a scope of record that is closed in time is as good as run", async () => {
    const x = tf.scalar(3);
    const tape = new tf.GradientTape();
    tape.watch(x);
    const scope = tape.record();
    const y = tf.square(x);
    scope[Symbol.dispose]();
    await null;
    expect(tape.gradient(y, x).itemSync()).toBe(6);
  });
  test("two async flows do not meet", async () => {
    const flow = async (value: number): Promise<number> => {
      const x = tf.scalar(value);
      let sum = 0;
      for (let i = 0; i < 3; i++) {
        const tape = new tf.GradientTape();
        const y = tape.run(() => {
          tape.watch(x);
          return tf.mul(x, x);
        });
        await null;
        sum += Number(tape.gradient(y, x).itemSync());
      }
      return sum;
    };
    expect(await Promise.all([flow(1), flow(10)])).toEqual([6, 60]);
  });
  test("refuses integers and async functions", () => {
    const tape = new tf.GradientTape();
    expect(codeOf(() => tape.watch(tf.tensor([1], [1], "int32")))).toBe("E_DTYPE");
    expect(codeOf(() => tape.run(async () => tf.scalar(1)))).toBe("E_ASYNC_SCOPE");
  });
  test("differentiates through a call of a tf.function", () => {
    const w = tf.variable(2);
    const f = tf.fn((x: tf.Tensor) => tf.mul(tf.square(x), w));
    const x = tf.scalar(3);
    const tape = new tf.GradientTape();
    const y = tape.run(() => {
      tape.watch(x);
      return f(x);
    });
    const g = tape.gradient(y, { x, w });
    expect([y.itemSync(), g.x.itemSync(), g.w.itemSync()]).toEqual([18, 12, 9]);
  });
  test("counts an op that is applied twice to the same once for each use of its result", () => {
    const twice = (x: tf.Tensor): tf.Tensor => tf.sum(tf.add(tf.square(x), tf.mul(tf.square(x), x)));
    const x = tf.tensor([2, 3]);
    expect(tf.grad(twice)(x).arraySync()).toEqual([16, 33]);
    expect(
      tf
        .fn((z: tf.Tensor) => tf.grad(twice)(z))(x)
        .arraySync(),
    ).toEqual([16, 33]);
  });
});

test("a composite whose decomposition repeats an op is differentiated as often as its result is read", () => {
  // in one graph both squares are one node
  const f = tf.fn((x: tf.Tensor) => tf.grad((v) => tf.sum(tf.add(tf.square(v), tf.square(v))))(x));
  expect(f(tf.tensor([1, 2])).arraySync()).toEqual([4, 8]);
});

test("options that a tape does not know are refused, and so is what is no function", () => {
  // boundary: what plain JavaScript might write
  const wrong = <T>(value: T): never => value as never;
  expect(codeOf(() => tf.grad(wrong(3)))).toBe("E_ARGUMENT");
  expect(codeOf(() => tf.variableGrads(wrong(undefined)))).toBe("E_ARGUMENT");
  expect(codeOf(() => new tf.GradientTape(wrong({ persistant: true })))).toBe("E_ARGUMENT");
  const w = tf.variable([1, 2]);
  const tape = new tf.GradientTape({ persistent: true });
  const y = tape.run(() => tf.sum(w.mul(w)));
  expect(codeOf(() => tape.gradient(y, w, wrong({ outputGradient: 1 })))).toBe("E_ARGUMENT");
  expect(codeOf(() => tape.gradient(y, w, wrong({ unconnectedGradients: "zeros" })))).toBe("E_ARGUMENT");
  expect(codeOf(() => tape.gradient(y, w, { outputGradients: [tf.scalar(1), tf.scalar(1)] }))).toBe("E_ARGUMENT");
  expect(codeOf(() => tape.stopRecording(async () => 1))).toBe("E_ASYNC_SCOPE");
});

test("a gradient is computed where its target is", () => {
  tf.registerBackend("second", () => new ReferenceBackend({ name: "second" }), { priority: -2 });
  const x = tf.device("second:0", () => tf.tensor([1, 2]));
  const g = tf.grad((a) => tf.sum(tf.exp(a).mul(a)))(x);
  expect(g.device).toBe("second:0");
  const moved = tf.grad((a) => tf.sum(tf.mul(a.to("second:0"), [3, 4]).square()))(tf.tensor([1, 2]));
  expect([moved.device, moved.arraySync()]).toEqual(["reference:0", [18, 64]]);
  const v = tf.variable([1, 2]);
  const { grads } = tf.variableGrads(() => tf.sum(tf.square(v.to("second:0"))).to("reference:0"));
  expect(grads[v.name]!.arraySync()).toEqual([2, 4]);
});

test("gradients of slices of one value: side by side, with gaps, overlapping, of two axes, and of the whole beside them", () => {
  const x = tf.reshape(tf.range(1, 13), [3, 4]);
  const weigh = (y: tf.Tensor, seed: number): tf.Tensor =>
    tf.sum(tf.mul(tf.square(y), tf.add(tf.reshape(tf.range(0, y.size), y.shape), seed)));
  const cuts: [begin: number[], size: number[]][][] = [
    [
      [
        [0, 0],
        [3, 1],
      ],
      [
        [0, 1],
        [3, 1],
      ],
      [
        [0, 2],
        [3, 2],
      ],
    ],
    [
      [
        [0, 1],
        [3, 1],
      ],
      [
        [0, 3],
        [3, 1],
      ],
    ],
    [
      [
        [0, 0],
        [2, 4],
      ],
      [
        [1, 0],
        [2, 4],
      ],
    ],
    [
      [
        [0, 0],
        [1, 4],
      ],
      [
        [2, 0],
        [1, 4],
      ],
      [
        [0, 2],
        [3, 2],
      ],
      [
        [1, 1],
        [1, 1],
      ],
    ],
    [
      [
        [0, 0],
        [3, 4],
      ],
      [
        [2, 0],
        [1, 4],
      ],
    ],
  ];
  for (const parts of cuts) {
    // The same without a slice.
    const gathered = (v: tf.Tensor): tf.Tensor =>
      parts
        .map(([begin, size], i) => weigh(tf.reshape(gatherPart(v, begin, size), size), i))
        .reduce((a, b) => tf.add(a, b));
    const f = (v: tf.Tensor): tf.Tensor =>
      parts.map(([begin, size], i) => weigh(tf.slice(v, begin, size), i)).reduce((a, b) => tf.add(a, b));
    const want = tf.grad(gathered)(x).arraySync();
    expect(tf.grad(f)(x).arraySync()).toEqual(want);
    expect(tf.fn(tf.grad(f))(x).arraySync()).toEqual(want);
    const twice = tf.fn(tf.grad((v: tf.Tensor) => tf.sum(tf.square(tf.grad(f)(v)))));
    expect(twice(x).arraySync()).toEqual(
      tf
        .grad((v: tf.Tensor) => tf.sum(tf.square(tf.grad(gathered)(v))))(x)
        .arraySync(),
    );
  }
});

/** A slice, by gathering rows and columns. */
function gatherPart(x: tf.Tensor, [row, column]: number[], [rows, columns]: number[]): tf.Tensor {
  const from = (begin: number, size: number): tf.Tensor => tf.cast(tf.range(begin, begin + size), "int32");
  return tf.gather(tf.gather(x, from(row!, rows!), 0), from(column!, columns!), 1);
}

test("an op without a gradient is named with the line that applied it, in a function, or that asks", () => {
  const stepOp = defineOp({
    name: "test/step",
    arity: 1,
    infer: ([x]) => [x!],
    reference() {},
    vjp: noRule("it is a staircase"),
    batch: "elementwise",
  });
  const f = (x: tf.Tensor): tf.Tensor => tf.sum(applyOp(stepOp, [x])); // the line that applies it
  const lineOf = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      if (!tf.isMillraceError(error, "E_GRADIENT")) throw error;
      expect(error.reason).toBe("test/step has no gradient: it is a staircase");
      return readFileSync(error.site!.file.replace("file://", ""), "utf8").split("\n")[error.site!.line - 1]!;
    }
    return "";
  };
  expect(lineOf(() => tf.fn(tf.grad(f))(tf.ones([2])))).toContain("the line that applies it");
  expect(lineOf(() => tf.grad(tf.fn(f))(tf.ones([2])))).toContain("the line that applies it");
  expect(lineOf(() => tf.grad(f)(tf.ones([2])))).toContain("tf.grad(f)(tf.ones([2]))");
});
