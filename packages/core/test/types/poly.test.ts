// A function for any sizes checks at run time what its type checks in the compiler.
import { expect, test } from "@jest/globals";
import * as tf from "@millrace/core";

tf.registerReferenceBackend();

const product = tf.poly(
  [
    ["B", "T"],
    ["T", 2],
  ],
  (a, b) => tf.matMul(a, b),
);
/** As plain JavaScript calls it. */
const untyped: (...args: tf.Tensor[]) => tf.Tensor = product;

const messageOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    if (tf.isMillraceError(error)) return `${error.code}: ${error.reason}`;
  }
  return "nothing";
};

test("a call computes what the body computes", () => {
  expect(product(tf.ones([3, 4]), tf.ones([4, 2])).arraySync()).toEqual([
    [4, 4],
    [4, 4],
    [4, 4],
  ]);
});

test("sizes, ranks and counts that do not fit are refused with the compiler's sentence", () => {
  const { zeros } = tf;
  expect(messageOf(() => untyped(zeros([3, 4]), zeros([5, 2])))).toBe("E_SHAPE: poly: size T is both 4 and 5");
  expect(messageOf(() => untyped(zeros([3, 4]), zeros([4, 3])))).toBe("E_SHAPE: poly: needs shape [T,2], got [4,3]");
  expect(messageOf(() => untyped(zeros([3]), zeros([4, 2])))).toBe("E_SHAPE: poly: needs shape [B,T], got [3]");
  expect(messageOf(() => untyped(zeros([3, 4])))).toBe("E_ARGUMENT: poly: needs 2 tensors, got 1");
});
