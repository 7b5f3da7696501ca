// tf.memory() says what is live, exactly: on the native backend, and on one in JavaScript.
import { jest } from "@jest/globals";
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "@millrace/core";
import { applyOp, defineOp, type NoAttrs, noRule, type Op } from "@millrace/core/extend";

const cpu = createCpuBackend();
tf.registerBackend("cpu", () => cpu, { priority: 10 });
tf.registerReferenceBackend();

/** "tensors × bytes op dtype[shape]" of all that is live, most bytes first; held against the totals. */
function live(): string[] {
  const { byOp, numBytes, numTensors } = tf.memory();
  expect(byOp.reduce((sum, row) => sum + row.tensors, 0)).toBe(numTensors);
  expect(byOp.reduce((sum, row) => sum + row.bytes, 0)).toBe(numBytes);
  return byOp.map(({ op, dtype, shape, tensors, bytes }) => `${tensors} × ${bytes} ${op} ${dtype}[${shape}]`);
}

/** What the tensors that `f` returns leave in memory; nothing else is live, before and after. */
function made(f: () => unknown): string[] {
  expect(live()).toEqual([]);
  const held = tf.tidy(f);
  const rows = live();
  tf.dispose(held);
  expect(live()).toEqual([]);
  return rows;
}

/** A variable whose initial value nobody else holds. */
const variableOf = (values: readonly number[]): tf.Variable => tf.variable(values);

/** Twice as much, by a definition in JavaScript: a program with host calls on every backend. */
const twiceOp: Op<"test/twice", NoAttrs> = defineOp({
  name: "test/twice",
  arity: 1,
  infer: ([x]) => [x!],
  reference([x], _attrs, [out]) {
    for (let i = 0; i < x!.data.length; i++) out!.data[i] = 2 * Number(x!.data[i]);
  },
  vjp: noRule("it is not needed here"),
  batch: "elementwise",
});
const twice = (x: tf.Tensor): tf.Tensor => applyOp(twiceOp, [x]);

/** The lines of this file in what is live, by op. */
function sites(): Record<string, number | undefined> {
  const rows = tf.memory().byOp.map(({ op, site }) => {
    if (site) expect(site.file).toMatch(/memory\.test\.ts$/);
    return [op, site?.line];
  });
  return Object.fromEntries(rows);
}

/** The line of this file that calls it. */
function line(): number {
  const caller = new Error().stack!.split("\n")[2]!;
  return Number(/:(\d+):\d+\)?$/.exec(caller)![1]);
}

afterEach(() => tf.debugging.trackSites(false));

describe.each(["cpu", "reference"])("on the %s backend", (backend) => {
  beforeAll(() => tf.setBackend(backend));
  const onCpu = backend === "cpu";

  test("results are of the op that made them, by dtype and shape", () => {
    const rows = made(() => {
      const x = tf.tensor([[1, 2, 3]]);
      return [x, x.exp(), x.exp(), tf.add(x, [[1], [2]]), tf.cast(x, "int32"), x.add(1).add(2)];
    });
    expect(rows).toEqual([
      "2 × 24 exp float32[1,3]",
      "1 × 24 add float32[2,3]",
      "1 × 12 add float32[1,3]",
      "1 × 12 cast int32[1,3]",
      "1 × 12 upload float32[1,3]",
    ]);
  });

  test("of several results each is what it is, also an empty one", () => {
    const rows = made(() => [tf.split(tf.range(0, 7), [5, 2]), tf.zeros([0, 3])]);
    expect(rows).toEqual(["1 × 20 slice float32[5]", "1 × 8 slice float32[2]", "1 × 0 broadcastInDim float32[0,3]"]);
  });

  test("memory that is shared is one tensor, of what made it first", () => {
    const rows = made(() => {
      const x = tf.tensor([1, 2, 3, 4]);
      return [x, x.reshape([2, 2]), x.clone()];
    });
    const copies = ["1 × 16 identity float32[4]", "1 × 16 reshape float32[2,2]", "1 × 16 upload float32[4]"];
    // The definition of an op makes a new array.
    expect(rows).toEqual(onCpu ? ["1 × 16 upload float32[4]"] : copies);
  });

  test("an op from outside of core has its name, alone and inside a function", () => {
    const f = tf.fn((x: tf.Tensor) => [x, twice(x.neg()), twice(x).neg()], { name: "f" });
    const rows = made(() => {
      const x = tf.tensor([1, 2]);
      return [x, twice(x), f(x)];
    });
    // What the function passes through is the tensor that came in.
    const passed = onCpu ? "2 × 16 f() float32[2]" : "3 × 24 f() float32[2]";
    expect(rows).toEqual([passed, "1 × 8 test/twice float32[2]", "1 × 8 upload float32[2]"]);
  });

  test("a function's results are its own, and variables are variables", () => {
    const v = variableOf([1, 1, 1, 1]);
    const step = tf.fn(function step(x: tf.Tensor) {
      v.assignAdd(x);
      return [tf.sum(v), x.mul(2)];
    });
    const current = tf.fn((x: tf.Tensor) => v.assignAdd(x).read(), { name: "current" });
    const anonymous = tf.fn(
      (
        () => (x: tf.Tensor) =>
          x.sub(1)
      )(),
    );
    const rows: string[] = [];
    const x = tf.tensor([1, 2, 3, 4]);
    const held = [step(x), step(x), anonymous(x), current(x)];
    expect(v.arraySync()).toEqual([4, 7, 10, 13]);
    rows.push(...live());
    tf.dispose([x, held]);
    expect(rows).toEqual([
      "2 × 32 step() float32[4]",
      // What `current` returns is the variable's memory.
      ...(onCpu ? [] : ["2 × 32 variable float32[4]"]),
      "1 × 16 fn() float32[4]",
      "1 × 16 upload float32[4]",
      ...(onCpu ? ["1 × 16 variable float32[4]"] : []),
      "2 × 8 step() float32[]",
    ]);
    expect(live()).toEqual(["1 × 16 variable float32[4]"]);
    v.dispose();
    expect(live()).toEqual([]);
  });

  test("a variable is one, however it got its value", () => {
    const [a, b] = [variableOf([1, 2]), variableOf([3, 4])];
    expect(live()).toEqual(["2 × 16 variable float32[2]"]);
    const x = tf.tensor([5, 6]);
    a.assign(x);
    b.assignAdd(x);
    x.dispose();
    expect(live()).toEqual(["2 × 16 variable float32[2]"]);
    const read = b.read();
    read.dispose();
    tf.tidy(() => {
      a.assign([0, 0]);
      b.assign(tf.add(a, 1));
    });
    tf.dispose([a, b]);
    expect(live()).toEqual([]);
  });

  test("prints as a table", () => {
    const x = tf.tensor(new Float32Array(1000));
    const y = [x.neg(), x.neg(), x.max()];
    expect(`${tf.memory()}`).toBe(
      [
        "4 tensors, 12 kB",
        "  2  8 kB  neg float32[1000]",
        "  1  4 kB  upload float32[1000]",
        "  1   4 B  reduceMax float32[]",
      ].join("\n"),
    );
    tf.dispose([x, y]);
    expect(`${tf.memory()}`).toBe("0 tensors, 0 B");
  });

  test("lines are told apart while they are tracked, and not before and after", () => {
    const f = tf.fn((x: tf.Tensor) => [x.sin(), x.cos()], { name: "f" });
    const x = tf.tensor([1, 2]);
    const before = [x.exp(), f(x)];
    expect(sites()).toEqual({ upload: undefined, exp: undefined, "f()": undefined });
    tf.dispose(before);
    tf.debugging.trackSites(true);
    const v = variableOf([1, 2]);
    const at = line();
    const several = [x.exp(), x.log(), f(x), tf.tensor([3, 4])];
    v.assignAdd(x);
    const z = tf.tidy(() => x.add(x).reshape([2, 1]));
    const sum = line() - 1;
    const want = { exp: at + 1, log: at + 1, "f()": at + 1, upload: at + 1, variable: at + 2 };
    expect(sites()).toEqual({ ...want, [onCpu ? "add" : "reshape"]: sum });
    tf.debugging.trackSites(false);
    const after = [x.neg(), f(x)];
    // What was made meanwhile keeps its line.
    const rows = tf.memory().byOp.filter(({ op }) => op === "f()" || op === "neg");
    expect(rows.map(({ op, tensors, site }) => [op, tensors, site?.line])).toEqual([
      ["f()", 2, undefined],
      ["f()", 2, at + 1],
      ["neg", 1, undefined],
    ]);
    tf.dispose([x, v, several, z, after]);
    expect(live()).toEqual([]);
  });
});

test("what the collector takes is gone, and what is held stays", () => {
  const x = tf.device("cpu", () => tf.tensor([1, 2, 3]));
  const kept = Array.from({ length: 100 }, () => x.exp());
  const makeGarbage = (): void => {
    for (let i = 0; i < 5000; i++) x.sin();
  };
  makeGarbage();
  const count = (name: string): number =>
    tf.memory().byOp.reduce((sum, { op, tensors }) => sum + (op === name ? tensors : 0), 0);
  expect(count("sin")).toBeGreaterThan(64);
  // So that no page is open; one that has a tensor which is held stays whole.
  const next = Array.from({ length: 64 }, () => x.cos());
  cpu.reclaimer.relieve();
  expect(count("sin")).toBeLessThan(128);
  expect([count("exp"), count("cos")]).toEqual([100, 64]);
  tf.dispose([x, kept, next]);
  expect([count("exp"), count("cos")]).toEqual([0, 0]);
});

test("new values of variables are nothing to collect", () => {
  const weights = tf.device("cpu", () => [1, 2, 3].map(() => tf.variable(tf.zeros([64, 1024]))));
  const step = tf.fn(() => {
    for (const w of weights) w.assignAdd(1);
    return weights[0]!.sum();
  });
  const collections = jest.spyOn(cpu.reclaimer, "pressure");
  // Three of 256 KB a step.
  for (let i = 0; i < 1000; i++) step().dispose();
  expect(collections.mock.calls.length).toBeLessThan(3);
  expect(weights[0]!.dataSync()[0]).toBe(1000);
  collections.mockRestore();
  for (const w of weights) w.dispose();
});
