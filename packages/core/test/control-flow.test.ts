// cond and whileLoop hold the same rules in eager code and in a function.
import * as tf from "@millrace/core";

tf.registerReferenceBackend();

/** What a caller without types may pass. */
const untyped = (value: unknown): never => value as never;
const one = tf.scalar(1);
const less = (i: tf.Tensor): tf.Tensor => i.less(3);
const next = (i: tf.Tensor): tf.Tensor[] => [i.add(1)];

const ways: readonly [string, <T>(f: () => T) => T][] = [
  ["eager", (f) => f()],
  ["traced", (f) => tf.fn(f)()],
];

describe.each(ways)("%s", (_, run) => {
  const codeOf = (f: () => unknown): string | undefined => {
    try {
      run(f);
    } catch (error) {
      return tf.isMillraceError(error) ? `${error.code} ${error.rule}` : `${error}`;
    }
    return undefined;
  };
  const trips = (options?: tf.WhileOptions): unknown =>
    run(() => tf.whileLoop(less, next, [tf.scalar(0)], options))[0]!.itemSync();

  test("a loop ends after maximumIterations, which may be 0", () => {
    expect([trips(), trips({}), trips({ maximumIterations: 2 }), trips({ maximumIterations: 9 })]).toEqual([
      3, 3, 2, 3,
    ]);
    expect(trips({ maximumIterations: 0 })).toBe(0);
  });
  test.each([-1, 1.5, Number.NaN, "2"])("maximumIterations %p is refused", (maximumIterations) => {
    expect(codeOf(() => tf.whileLoop(less, next, [one], untyped({ maximumIterations })))).toBe(
      "E_ARGUMENT whileLoop.C4",
    );
  });
  test("an unknown option is refused", () => {
    expect(codeOf(() => tf.whileLoop(less, next, [one], untyped({ maxIterations: 2 })))).toMatch("E_ARGUMENT");
  });
  test("the body returns a list of the loop variables", () => {
    expect(codeOf(() => tf.whileLoop(less, (i) => [i.add(1), i], [one]))).toMatch(/whileLoop.C3$/);
    expect(
      codeOf(() =>
        tf.whileLoop(
          less,
          untyped((i: tf.Tensor) => i.add(1)),
          [one],
        ),
      ),
    ).toMatch(/whileLoop.C3$/);
    expect(
      codeOf(() =>
        tf.whileLoop(
          less,
          untyped(async () => [one]),
          [one],
        ),
      ),
    ).toMatch("E_ASYNC_SCOPE");
  });
  test("a condition is a scalar bool", () => {
    expect(codeOf(() => tf.whileLoop((i) => i, next, [one]))).toBe("E_DTYPE whileLoop.C2");
    expect(codeOf(() => tf.whileLoop((i) => i.reshape([1]).less(3), next, [one]))).toBe("E_SHAPE whileLoop.C2");
    const branch = (): tf.Tensor => tf.scalar(1);
    expect(codeOf(() => tf.cond(3, branch, branch))).toBe("E_DTYPE cond.C1");
    expect(codeOf(() => tf.cond([true], branch, branch))).toBe("E_SHAPE cond.C2");
    expect(codeOf(() => tf.cond(true, branch, branch))).toBeUndefined();
  });
});

test("what is printed inside of control flow whose result nobody reads is printed", () => {
  const lines: string[] = [];
  tf.setLogger({ info: (line) => lines.push(line) });
  const f = tf.fn((x: tf.Tensor) => {
    tf.cond(
      x.less(3),
      () => tf.print(x, "branch"),
      () => x,
    );
    tf.print(x, "between");
    tf.whileLoop(
      (i) => i.less(2),
      (i) => [tf.print(i, "trip").add(1)],
      [tf.scalar(0)],
    );
    return x.add(1);
  });
  expect(f(tf.scalar(1)).itemSync()).toBe(2);
  tf.setLogger();
  expect(lines).toEqual(["branch float32[] 1", "between float32[] 1", "trip float32[] 0", "trip float32[] 1"]);
});
