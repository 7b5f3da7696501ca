// tf.debugging.assert…: eager code stops at once, a program when it runs, and both name the line.
import * as tf from "@millrace/core";

tf.registerReferenceBackend();
const d = tf.debugging;

function reasonOf(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    if (tf.isMillraceError(error)) return `${error.code} ${error.reason}`;
    throw error;
  }
  return "held";
}

const x = tf.tensor([1, 2]);
const cases: readonly (readonly [name: string, holds: (y: tf.Tensor) => void, fails: (y: tf.Tensor) => void])[] = [
  ["assert", (y) => d.assert(y.greater(0)), (y) => d.assert(y.greater(1), "all above one")],
  ["assertEqual", (y) => d.assertEqual(y, [1, 2]), (y) => d.assertEqual(y, [1, 3])],
  ["assertNoneEqual", (y) => d.assertNoneEqual(y, [2, 1]), (y) => d.assertNoneEqual(y, 2)],
  ["assertLess", (y) => d.assertLess(y, 3), (y) => d.assertLess(y, 2)],
  ["assertLessEqual", (y) => d.assertLessEqual(y, 2), (y) => d.assertLessEqual(y, Number.NaN)],
  ["assertGreater", (y) => d.assertGreater(y, 0), (y) => d.assertGreater(y, 1)],
  ["assertGreaterEqual", (y) => d.assertGreaterEqual(y, 1), (y) => d.assertGreaterEqual(y, 2)],
  ["assertPositive", (y) => d.assertPositive(y), (y) => d.assertPositive(y.sub(1))],
  ["assertNonNegative", (y) => d.assertNonNegative(y.sub(1)), (y) => d.assertNonNegative(y.neg())],
  ["assertNegative", (y) => d.assertNegative(y.neg()), (y) => d.assertNegative(y)],
  ["assertNonPositive", (y) => d.assertNonPositive(y.sub(2)), (y) => d.assertNonPositive(y)],
  ["assertNear", (y) => d.assertNear(y, [1, 2.0000001]), (y) => d.assertNear(y, [1, 2.1], { atol: 0.01, rtol: 0 })],
  ["assertAllFinite", (y) => d.assertAllFinite(y), (y) => d.assertAllFinite(y.div(0), "the ratio")],
  ["checkNumerics", (y) => void d.checkNumerics(y), (y) => void d.checkNumerics(tf.log(y.neg()), "the log")],
];

describe.each(cases)("%s", (name, holds, fails) => {
  test("in eager code", () => {
    expect(reasonOf(() => holds(x))).toBe("held");
    expect(reasonOf(() => fails(x))).toMatch(new RegExp(`^E_ARGUMENT ${name}: `));
  });
  test("in a function, when it runs, with the line of the assertion", () => {
    const run = (f: (y: tf.Tensor) => void) => {
      const program = tf.fn((y: tf.Tensor) => {
        f(y);
        return y.add(1);
      });
      program.graph(x); // traced: nothing fails here
      return reasonOf(() => program(x));
    };
    expect(run(holds)).toBe("held");
    expect(run(fails)).toMatch(new RegExp(`^E_ARGUMENT assertion failed: ${name}: .*\\n  at .*asserts.test.ts:\\d+`));
  });
});

test("eager code shows the values", () => {
  expect(reasonOf(() => d.assertLess([1, 5], [2, 4], { message: "bounds" }))).toBe(
    "E_ARGUMENT assertLess: bounds: needs x < y\n  x: Tensor float32[2] on reference:0 [1, 5]\n  y: Tensor float32[2] on reference:0 [2, 4]",
  );
  expect(reasonOf(() => d.checkNumerics([1, Number.NaN]))).toMatch("has no NaN");
  expect(reasonOf(() => d.checkNumerics([1, -1 / 0]))).toMatch("has no ∞");
});

test("an assertion inside of a loop names its line, and the variable is as it was", () => {
  const total = tf.variable(0);
  const f = tf.fn((n: tf.Tensor) => {
    total.assignAdd(1);
    return tf.whileLoop(
      (i) => i.less(n),
      (i) => {
        d.assertLess(i, 3, { message: "few trips" });
        return [i.add(1)];
      },
      [tf.scalar(0)],
    )[0]!;
  });
  expect(f(tf.scalar(3)).itemSync()).toBe(3);
  expect(reasonOf(() => f(tf.scalar(5)))).toMatch(/few trips: needs x < y\n {2}at .*asserts\.test\.ts/);
  expect(total.arraySync()).toBe(1);
});

describe("types", () => {
  test("ranks, dtypes and shapes", () => {
    expect(reasonOf(() => d.assertRank(x, [0, 1]))).toBe("held");
    expect(reasonOf(() => d.assertRank(x, 2, { message: "images" }))).toBe(
      "E_SHAPE assertRank: images: needs rank 2, got [2]",
    );
    expect(reasonOf(() => d.assertRankAtLeast(x, 2))).toBe("E_SHAPE assertRankAtLeast: needs rank 2 or more, got [2]");
    expect(reasonOf(() => d.assertType(x, "int32"))).toBe("E_DTYPE assertType: needs int32, got float32[2]");
    const pair = (rows: number) =>
      reasonOf(() =>
        d.assertShapes([
          [tf.zeros([4, 3]), ["n", 3]],
          [tf.zeros([rows]), ["n"]],
        ]),
      );
    expect(pair(4)).toBe("held");
    expect(pair(5)).toBe("E_SHAPE assertShapes: needs tensor 1 as [n], got [5], but n is 4 already");
    expect(reasonOf(() => d.assertShapes([[x, [null, 1]]]))).toBe(
      "E_SHAPE assertShapes: needs tensor 0 as [any,1], got [2]",
    );
  });
  test("sizes that are not known while tracing are a condition of calls", () => {
    const f = tf.fn(
      (a: tf.Tensor, b: tf.Tensor) => {
        d.assertShapes([
          [a, ["n"]],
          [b, ["n"]],
        ]);
        return a.sum().add(b.sum());
      },
      {
        inputSignature: [
          { shape: [null], dtype: "float32" },
          { shape: [null], dtype: "float32" },
        ],
      },
    );
    expect(f(tf.ones([3]), tf.ones([3])).itemSync()).toBe(6);
    expect(reasonOf(() => f(tf.ones([3]), tf.ones([4])))).toMatch(/^E_GUARD/);
  });
});
