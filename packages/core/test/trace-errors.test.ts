// What a function must not do while it is traced: each mistake has its own error, which names the lines that matter.
import * as tf from "@millrace/core";

tf.registerReferenceBackend();
tf.setLogger(null);
afterAll(() => tf.setLogger());

const here = /trace-errors\.test\.ts:\d+:\d+/g;

/** The error's code, and how many different lines of this file its message names. */
function errorOf(f: () => unknown): { code: string; lines: number; message: string } {
  try {
    f();
  } catch (error) {
    if (!tf.isMillraceError(error)) throw error;
    return { code: error.code, lines: new Set(error.message.match(here)).size, message: error.message };
  }
  throw new Error("nothing was thrown");
}

describe("a host read in a trace names the line that reads and the line that made the tensor", () => {
  test.each(["dataSync", "itemSync", "arraySync"] as const)("%s", (read) => {
    const f = tf.fn((x: tf.Tensor) => {
      const y = tf.neg(x);
      return y[read]();
    });
    expect(errorOf(() => f(tf.scalar(1)))).toMatchObject({ code: "E_SYNC_READ", lines: 2 });
  });
  test("await x.data()", async () => {
    let read: Promise<unknown> | undefined;
    const f = tf.fn((x: tf.Tensor) => {
      const y = tf.neg(x);
      read = Promise.resolve().then(() => y.data());
      return y;
    });
    f(tf.scalar(1));
    await expect(read).rejects.toMatchObject({ code: "E_TRACER_LEAK" });
  });
});

test("a leaked tracer names the line that uses it and the line that made it", () => {
  let leaked: tf.Tensor | undefined;
  const f = tf.fn((x: tf.Tensor) => {
    leaked = tf.neg(x);
    return x;
  });
  f(tf.scalar(1));
  const used = errorOf(() => tf.add(leaked!, 1));
  expect(used).toMatchObject({ code: "E_TRACER_LEAK", lines: 2 });
  expect(errorOf(() => leaked!.dataSync())).toMatchObject({ code: "E_TRACER_LEAK", lines: 2 });
  // It is no value of another trace either, as a global list of losses would make it.
  expect(errorOf(() => tf.fn(() => tf.add(leaked!, 1))())).toMatchObject({ code: "E_TRACER_LEAK" });
});

describe("variables of a function", () => {
  test("are made at the first trace, and kept", () => {
    let v: tf.Variable | undefined;
    const f = tf.fn((x: tf.Tensor) => {
      v ??= tf.variable(tf.mul(tf.ones([2]), 3), { name: "made inside" });
      v.assignAdd(x);
      return tf.mul(v, 10);
    });
    expect(f(tf.tensor([1, 2])).arraySync()).toEqual([40, 50]);
    expect(f(tf.tensor([1, 1])).arraySync()).toEqual([50, 60]);
    expect(f(tf.scalar(1)).arraySync()).toEqual([60, 70]);
    expect(v!.arraySync()).toEqual([6, 7]);
  });
  test("that start from captured tensors and variables have the values of then", () => {
    const [tensor, variable] = [tf.tensor([1, 2]), tf.variable([3, 4])];
    let v: tf.Variable | undefined;
    const f = tf.fn(() => {
      v ??= tf.variable(tf.add(tensor, variable));
      return tf.neg(v);
    });
    expect(f().arraySync()).toEqual([-4, -6]);
    variable.assign([0, 0]);
    expect(f().arraySync()).toEqual([-4, -6]);
  });
  test("made at a second trace are refused, with both lines", () => {
    const f = tf.fn((x: tf.Tensor) => {
      const v = tf.variable(1);
      return tf.add(v, x);
    });
    f(tf.scalar(1));
    const second = errorOf(() => f(tf.ones([2])));
    expect(second).toMatchObject({ code: "E_VARIABLE", lines: 2 });
    expect(second.message).toMatch(/traced before, at/);
  });
  test("cannot start from an argument, and a function that is only looked at makes none", () => {
    const f = tf.fn((x: tf.Tensor) => tf.add(tf.variable(tf.neg(x)), 1));
    expect(errorOf(() => f(tf.scalar(1)))).toMatchObject({ code: "E_VARIABLE" });
    expect(errorOf(() => f(tf.scalar(1))).message).toMatch(/depends on an argument/);
    const named = () => tf.nameFunction("f", () => tf.add(tf.variable(1), 1), {});
    expect(errorOf(named)).toMatchObject({ code: "E_VARIABLE" });
  });
});

test("recursion without end is refused, and what the arguments end is not", () => {
  const endless: (x: tf.Tensor) => tf.Tensor = tf.fn((x: tf.Tensor): tf.Tensor => endless(tf.add(x, 1)));
  const refused = errorOf(() => endless(tf.scalar(1)));
  expect(refused.code).toBe("E_ARGUMENT");
  expect(refused.message).toMatch(/recursion has no graph, use tf\.whileLoop/);
  const power: (x: tf.Tensor, n: number) => tf.Tensor = tf.fn((x: tf.Tensor, n: number): tf.Tensor => {
    return n === 0 ? tf.onesLike(x) : tf.mul(x, power(x, n - 1));
  });
  expect(power(tf.scalar(2), 5).itemSync()).toBe(32);
});

test("async functions are refused with an explanation", () => {
  const refused = errorOf(() => tf.fn(async (x: tf.Tensor) => tf.neg(x))(tf.scalar(1)));
  expect(refused.code).toBe("E_ASYNC_SCOPE");
  expect(refused.message).toMatch(/takes a synchronous function: what runs after an await is outside of its scope/);
});
