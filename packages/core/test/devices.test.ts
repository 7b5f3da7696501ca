// Two devices in one program: an op runs where its operands are, and what is on several is refused.
import * as tf from "@millrace/core";
import { ReferenceBackend } from "@millrace/core/backend";

tf.registerReferenceBackend();
tf.registerBackend("second", () => new ReferenceBackend({ name: "second" }), { priority: -2 });

const there = <T>(f: () => T): T => tf.device("second:0", f);
const x = tf.tensor([1, 2]);
const y = there(() => tf.tensor([3, 4]));

function errorOf(f: () => unknown): string | undefined {
  try {
    f();
  } catch (error) {
    if (tf.isMillraceError(error)) return `${error.code} ${error.reason}`;
    throw error;
  }
  return undefined;
}

test("plain numbers go where the tensor beside them is", () => {
  const results = [y.add(1), tf.sub([1, 1], y), y.greater(0), tf.where(y.greater(3), y, 0), tf.oneHot([1], 2)];
  expect(results.map((r) => r.device)).toEqual(["second:0", "second:0", "second:0", "second:0", "reference:0"]);
  expect(tf.sub([1, 1], y).arraySync()).toEqual([-2, -3]);
  expect(tf.oneHot(y.cast("int32"), 5).device).toBe("second:0");
  expect(y.gather([1, 0]).arraySync()).toEqual([4, 3]);
});

test("operands on two devices are refused, and so is an assignment", () => {
  expect(errorOf(() => tf.add(x, y))).toMatch(/^E_DEVICE add: operands are on reference:0 and second:0/);
  const v = there(() => tf.variable([1, 2]));
  expect(errorOf(() => v.assign(x))).toBe(
    'E_DEVICE assign: variable_0 is on second:0, got reference:0; pass x.to("second:0")',
  );
  expect(v.assign([5, 6]).assignAdd(1).arraySync()).toEqual([6, 7]);
  expect(v.device).toBe("second:0");
  expect(v.assign(x.to("second:0")).arraySync()).toEqual([1, 2]);
});

test("a backend whose device has the name of another's is refused", async () => {
  tf.registerBackend("twin", () => new ReferenceBackend({ name: "second" }), { priority: -3 });
  await expect(tf.setBackend("twin")).rejects.toMatchObject({
    code: "E_BACKEND",
    reason: expect.stringContaining("a device called second:0, as the second backend has"),
  });
  expect(there(() => tf.ones([1])).device).toBe("second:0");
});

describe("a function", () => {
  const f = tf.fn((a: tf.Tensor) => a.mul(2).add(1));

  test("runs where its arguments are, with a trace for each device", () => {
    expect(f(x).arraySync()).toEqual([3, 5]);
    expect([f(y).arraySync(), f(y).device]).toEqual([[7, 9], "second:0"]);
    expect([f(x).arraySync(), f(x).device]).toEqual([[3, 5], "reference:0"]);
    expect(f.tracingCount()).toBe(2);
  });
  test("without arguments runs on the default device", () => {
    const ones = tf.fn(() => tf.ones([2]));
    expect([ones().device, there(ones).device, ones().device]).toEqual(["reference:0", "second:0", "reference:0"]);
  });
  test("runs where its variables are", () => {
    const v = there(() => tf.variable([1, 2]));
    const step = tf.fn(() => v.assignAdd(1).read());
    expect([step().arraySync(), step().device]).toEqual([[2, 3], "second:0"]);
  });
  test("refuses an op whose operands are on several devices, where they come from outside too", () => {
    const add = tf.fn((a: tf.Tensor, b: tf.Tensor) => a.add(b));
    const both = /^E_DEVICE add: operands are on reference:0 and second:0; move one with x.to\("reference:0"\)/;
    expect(errorOf(() => add(x, y))).toMatch(both);
    expect(errorOf(() => tf.fn((a: tf.Tensor) => a.add(y))(x))).toMatch(both);
    expect(errorOf(() => tf.fn(() => tf.add(x, y))())).toMatch(both);
    const v = there(() => tf.variable([1, 2]));
    expect(errorOf(() => tf.fn((a: tf.Tensor<[2], "float32">) => v.assign(a))(x))).toMatch(
      /^E_DEVICE assign: .* is on second:0/,
    );
  });
});
