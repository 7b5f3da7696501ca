// Why a function was traced again: the argument, what it was, what it became, and the line.
import * as tf from "@millrace/core";

tf.registerReferenceBackend();
tf.setLogger({ warn: () => {} });

const traced = () => tf.fn((...args: unknown[]) => (args.length > 0 ? tf.zeros([1]) : tf.ones([1])));
const changesOf = (...calls: readonly (readonly unknown[])[]) => {
  const f = traced();
  for (const args of calls) f(...args);
  return f.explainRetraces().retraces.map(({ changes }) => changes);
};
const change = (path: string, was: string, became: string) => ({ path, was, became });

describe("what people ask for at TensorFlow", () => {
  test("a Python number for an argument (tensorflow#34025)", () => {
    const x = tf.ones([2]);
    const calls = [0.1, 0.2, 0.4].map((rate) => [x, { optimizer: { rate } }]);
    expect(changesOf(...calls)).toEqual([
      [change("argument 1.optimizer.rate", "0.1", "0.2")],
      [change("argument 1.optimizer.rate", "0.2", "0.4")],
    ]);
  });
  test("batches of another rank or dtype (tensorflow#38561)", () => {
    const ones = (shape: number[], dtype: "float32" | "int32" = "float32") => [{ image: tf.ones(shape, dtype) }];
    expect(changesOf(ones([8, 2]), ones([8]), ones([8], "int32"))).toEqual([
      [change("argument 0.image", "float32[8,2]", "float32[8]")],
      [change("argument 0.image", "float32[8]", "int32[8]")],
    ]);
  });
  test("an object or a closure made for each call (tensorflow#41347)", () => {
    class Model {}
    const x = tf.ones([2]);
    const loss = () => (y: unknown) => y;
    expect(changesOf([x, new Model(), loss], [x, new Model(), loss])).toEqual([
      [change("argument 1", "object of Model", "another object of Model")],
    ]);
    expect(changesOf([x, loss()], [x, loss()])).toEqual([[change("argument 1", "function", "another function")]]);
  });
});

test("lists, records, more arguments, and the most similar call before", () => {
  const x = tf.ones([2]);
  expect(changesOf([[x, x]], [[x, x, x]], [{ a: x }], [{ b: x }], [{ b: x }, 1])).toEqual([
    [change("argument 0", "a list of 2", "a list of 3")],
    [change("argument 0", "a list of 3", "{ a }")],
    [change("argument 0", "{ a }", "{ b }")],
    [change("the arguments", "a list of 1", "a list of 2")],
  ]);
  // The third call is like the first but for one argument.
  expect(changesOf([1, "a"], [2, "b"], [1, "c"])[1]).toEqual([change("argument 1", '"a"', '"c"')]);
  expect(changesOf([0], [-0], [Number.NaN], [null], [undefined], [true])).toEqual(
    ["0", "-0", "NaN", "null", "undefined"].map((was, i, all) => [change("argument 0", was, all[i + 1] ?? "true")]),
  );
});

test("it shows as text, with the line that called; another size is no retrace, the second one", () => {
  const f = tf.fn(function half(x: tf.Tensor, by: number) {
    return tf.mul(x, by);
  });
  f(tf.ones([2]), 0.5);
  expect(`${f.explainRetraces()}`).toBe("half was traced once");
  f(tf.ones([3]), 0.5);
  f(tf.ones([4]), 0.5);
  f(tf.ones([4]), 0.25);
  expect(`${f.explainRetraces()}`).toMatch(
    /^half was traced 3 times\n {2}trace 2 at .*retracing\.test\.ts:\d+:\d+: argument 0 was float32\[2\] and became float32\[3\]\n {2}trace 3 at .*retracing\.test\.ts:\d+:\d+: argument 1 was 0\.5 and became 0\.25$/,
  );
});

test("of 100 random changes of one argument, the one that changed is named", () => {
  let state = 7;
  const random = (below: number): number => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  const leaves: (() => unknown)[] = [
    () => random(1e6),
    () => `text ${random(1e6)}`,
    () =>
      tf.zeros(
        Array.from({ length: 1 + random(5) }, () => 1 + random(3)),
        random(2) ? "float32" : "int32",
      ),
    () => ({}),
    () => () => random(9),
  ];
  const make = (depth: number): unknown => {
    const kind = depth > 0 ? random(4) : 3;
    if (kind === 0) return Array.from({ length: 1 + random(3) }, () => make(depth - 1));
    if (kind === 1) return Object.fromEntries(["p", "q"].slice(0, 1 + random(2)).map((key) => [key, make(depth - 1)]));
    return leaves[random(leaves.length)]!();
  };
  /** The structure with one leaf made anew, and the path to it. */
  const alter = (value: unknown, path: string): [unknown, string] => {
    if (Array.isArray(value)) {
      const i = random(value.length);
      const [item, at] = alter(value[i], path ? `${path}[${i}]` : `argument ${i}`);
      return [value.with(i, item), at];
    }
    if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      const keys = Object.keys(value);
      if (keys.length > 0) {
        const key = keys[random(keys.length)]!;
        const [item, at] = alter((value as Record<string, unknown>)[key], `${path}.${key}`);
        return [{ ...value, [key]: item }, at];
      }
    }
    return [Symbol("another value"), path];
  };
  for (let n = 0; n < 100; n++) {
    const args = [make(3), make(2), make(1)];
    const [changed, path] = alter(args, "");
    const [changes] = changesOf(args, changed as unknown[]);
    expect(changes!.map((c) => c.path)).toEqual([path]);
    expect(changes![0]!.became).toBe("Symbol(another value)");
  }
});
