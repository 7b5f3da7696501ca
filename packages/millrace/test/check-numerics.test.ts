// tf.debugging.enableCheckNumerics: the op and the line that made the first NaN or ∞, on both backends.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "../src/index.js";

const own = readFileSync(fileURLToPath(import.meta.url), "utf8").split("\n");

/** The line of this file that ends with `// mark`, as messages name it. */
const at = (mark: string): string =>
  `check-numerics.test.ts:${own.findIndex((line) => line.endsWith(`// ${mark}`)) + 1}:`;

function failure(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    if (tf.isMillraceError(error, "E_ARGUMENT")) return error.reason;
    throw error;
  }
  return "ran";
}

describe.each(["reference", "cpu"])("on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
    tf.debugging.enableCheckNumerics();
  });
  afterAll(() => tf.debugging.disableCheckNumerics());

  const logOf = tf.fn((x: tf.Tensor) => {
    const y = x.sub(1);
    const z = tf.log(y); // log in a function
    return z.mul(0);
  });

  test("in a function: the op that made it, not the one that met it", () => {
    expect(logOf(tf.tensor([3, 2])).shape).toEqual([2]);
    const said = failure(() => logOf(tf.tensor([3, 1])));
    expect(said).toContain("log made ∞ of finite operands");
    expect(said).toContain(at("log in a function"));
    const nan = failure(() => logOf(tf.tensor([3, 0])));
    expect(nan).toContain("log made NaN");
  });
  test("a function traced before, and one after it is off again", () => {
    tf.debugging.disableCheckNumerics();
    expect(logOf(tf.tensor([1, 0])).arraySync()).toEqual([Number.NaN, Number.NaN]);
    tf.debugging.enableCheckNumerics();
    expect(failure(() => logOf(tf.tensor([1, 0])))).toContain("log made");
    expect(logOf.tracingCount()).toBe(1);
  });
  test("in eager code, with the line of the call", () => {
    const x = tf.tensor([1, 0]);
    expect(tf.log(x.add(1)).shape).toEqual([2]);
    let message = "";
    try {
      tf.div(1, x); // eager division
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("div made ∞ of finite operands");
    expect(message).toContain(at("eager division"));
  });
  test("a NaN from outside is named by what meets it, a mask of −∞ may pass", () => {
    const add = tf.fn((x: tf.Tensor, mask: tf.Tensor) => tf.softmax(x.add(mask)));
    expect(failure(() => add(tf.tensor([1, 2]), tf.tensor([0, Number.NaN])))).toContain(
      "operand 1 of add has NaN from outside",
    );
    expect(add(tf.tensor([1, 2]), tf.tensor([0, Number.NEGATIVE_INFINITY])).arraySync()).toEqual([1, 0]);
    expect(failure(() => tf.isNaN([Number.NaN]))).toBe("ran");
  });
  test("in a gradient: the op whose gradient it is, and its line", () => {
    const loss = (x: tf.Tensor): tf.Tensor => {
      const root = tf.sqrt(x); // root
      return root.sum();
    };
    const slope = tf.fn(tf.grad(loss));
    expect(slope(tf.tensor([4])).arraySync()).toEqual([0.25]);
    const said = failure(() => slope(tf.tensor([0])));
    expect(said).toMatch(/made ∞ of finite operands/);
    expect(said).toContain(at("root"));
    expect(said).toContain("for the gradient of sqrt");
  });
  test("in a gradient of eager code: the op whose gradient it is", () => {
    let message = "";
    try {
      tf.grad((x: tf.Tensor) => tf.sqrt(x).sum())(tf.tensor([0]));
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("for the gradient of sqrt");
  });
  test("inside of a loop and of a branch", () => {
    const f = tf.fn((x: tf.Tensor) => {
      const [y] = tf.whileLoop(
        (v) => v.less(100),
        (v) => [v.mul(tf.exp(v))], // in the loop
        [x],
      );
      return tf.cond(
        y!.greater(0),
        () => tf.log(y!.sub(y!)), // in the branch
        () => y!,
      );
    });
    expect(failure(() => f(tf.scalar(1)).dataSync())).toContain(at("in the branch"));
    const loop = failure(() => f(tf.scalar(90)).dataSync());
    expect(loop).toContain("exp made ∞");
    expect(loop).toContain(at("in the loop"));
  });
  test("what a program was to assign stays as it is", () => {
    const v = tf.variable([4, 1]);
    const step = tf.fn((x: tf.Tensor<[2], "float32">) => v.assign(v.div(x)));
    step(tf.tensor([2, 1]));
    expect(v.arraySync()).toEqual([2, 1]);
    expect(failure(() => step(tf.tensor([1, 0])))).toContain("div made ∞");
    expect(v.arraySync()).toEqual([2, 1]);
  });
});
