import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "../src/index.js";
import { registerReferenceBackend } from "../src/index.js";

registerReferenceBackend();

const thisFile = fileURLToPath(import.meta.url);
const source = readFileSync(thisFile, "utf8").split("\n");
const lineOf = (mark: string): number => source.findIndex((line) => line.endsWith(`// ${mark}`)) + 1;

const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
  tf.setLogger({ warn: (message) => warnings.push(message) });
  tf.debugging.checkPurity(true);
});
afterEach(() => {
  tf.debugging.checkPurity(false);
  tf.setLogger();
});

describe("tf.debugging.checkPurity warns of a function whose graph does less than it", () => {
  let n = 0;
  const causes: [string, (x: tf.Tensor) => tf.Tensor, RegExp][] = [
    [
      "Math.random",
      (x) => x.mul(Math.random()), // Math.random
      /^W_IMPURE_FUNCTION: the function f: Math\.random was called .*\(two traces differ: the constant 0\.\d+ is 0\.\d+ in the second at .*; draw with tf\.randomUniform/,
    ],
    ["Date.now", (x) => x.mul(Date.now()), /Date\.now was called .*; pass the time as an argument/], // Date.now
    ["new Date", (x) => x.mul(new Date().getDay()), /new Date was called/], // new Date
    ["performance.now", (x) => x.mul(performance.now()), /performance\.now was called/], // performance.now
    ["a counter", (x) => x.mul(n++), /two traces differ: the constant 0 is 1 in the second; every call runs the first/], // a counter
  ];
  test.each(causes)("%s", (mark, f, text) => {
    const traced = tf.fn(f, { name: "f" });
    const [first, second] = [traced(tf.ones([2])).arraySync(), traced(tf.ones([2])).arraySync()];
    expect(second).toEqual(first);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(text);
    expect(warnings[0]).toContain(`\n  at ${thisFile}:${lineOf(mark)}:`);
    // Once a line, however often it is traced.
    traced(tf.ones([3]));
    expect(warnings).toHaveLength(1);
  });

  test("the console: it is heard once", () => {
    const heard: unknown[] = [];
    const { log } = console;
    console.log = (x: unknown) => heard.push(x);
    try {
      const traced = tf.fn((x: tf.Tensor) => {
        console.log("tracing"); // the console
        return x.neg();
      });
      traced(tf.ones([2]));
    } finally {
      console.log = log;
    }
    expect(heard).toEqual(["tracing"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /console\.log was called while it was traced, and is not at each call; print tensors with tf\.print/,
    );
    expect(warnings[0]).toContain(`:${lineOf("the console")}:`);
  });

  test("each line of several", () => {
    tf.fn((x: tf.Tensor) => {
      const y = x.mul(Math.random());
      return y.add(Math.random());
    })(tf.ones([2]));
    expect(warnings).toHaveLength(2);
  });

  test("two different functions on one line of a loop are one place", () => {
    for (let i = 0; i < 3; i++) tf.fn((x: tf.Tensor) => x.mul(Math.random() + i))(tf.ones([2]));
    expect(warnings).toHaveLength(1);
  });
});

describe("nothing is said", () => {
  const v = tf.variable(1);
  const big = Float32Array.from({ length: 200 }, (_, i) => i);
  const pure: [string, (x: tf.Tensor) => unknown][] = [
    ["arithmetic", (x) => x.mul(2).sum()],
    ["a first draw, for which the engine chooses a seed", (x) => x.add(tf.randomUniform([2]))],
    ["a variable that it assigns", (x) => v.assignAdd(x.sum()).read()],
    ["a long constant made anew", (x) => x.add(tf.tensor([...big]).sum())],
    [
      "a loop",
      (x) =>
        tf.whileLoop(
          (i) => i.less(3),
          (i) => [i.add(1)],
          [x.sum()],
        )[0],
    ],
    [
      "a condition",
      (x) =>
        tf.cond(
          x.sum().greater(0),
          () => x.exp(),
          () => x,
        ),
    ],
    ["a date that was given", (x) => x.mul(new Date(0).getTime())],
    ["tf.print", (x) => tf.print(x)],
  ];
  test.each(pure)("%s", (_, f) => {
    tf.fn(f)(tf.ones([2]));
    expect(warnings).toEqual([]);
  });
  test("when it is off", () => {
    tf.debugging.checkPurity(false);
    let calls = 0;
    tf.fn((x: tf.Tensor) => x.mul(calls++ + Math.random()))(tf.ones([2]));
    expect(calls).toBe(1);
    expect(warnings).toEqual([]);
  });
});

test("a warning of the engine's own while tracing is no call of the user's, and is heard", () => {
  const heard: string[] = [];
  const { error } = console;
  console.error = (message: string) => heard.push(message);
  tf.setLogger();
  try {
    tf.fn((x: tf.Tensor) => {
      tf.getLogger().error("from the engine");
      return x;
    })(tf.ones([2]));
  } finally {
    console.error = error;
  }
  expect(heard).toEqual(["from the engine", "from the engine"]);
});

test("what is watched is put back where the function throws, and what the function put there stays", () => {
  const { random } = Math;
  const before = [Date, Date.now, performance.now, console.log];
  expect(() =>
    tf.fn(() => {
      throw new Error("boom");
    })(),
  ).toThrow("boom");
  expect([
    Math.random === random,
    ...[Date, Date.now, performance.now, console.log].map((f, i) => f === before[i]),
  ]).toEqual(new Array(5).fill(true));
  const seeded = (): number => 0.5;
  tf.fn((x: tf.Tensor) => {
    Math.random = seeded;
    return x;
  })(tf.ones([1]));
  expect(Math.random).toBe(seeded);
  Math.random = random;
});
