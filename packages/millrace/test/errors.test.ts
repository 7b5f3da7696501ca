// An error shows the line of the user's program, whichever part of the engine notices.
import * as tf from "../src/index.js";

beforeAll(() => tf.setBackend("reference"));

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const zeros = (...shape: number[]): tf.Tensor => tf.zeros(shape);

test.each<[string, string, () => unknown]>([
  ["a function's rule", "tf.matMul", () => tf.matMul(zeros(2, 3), zeros(5, 3))],
  ["broadcasting", "tf.add", () => tf.add(zeros(2), zeros(3))],
  ["an axis", "tf.cumsum", () => tf.cumsum(zeros(2), 3 as never)],
  ["a dtype", "tf.logicalNot", () => tf.logicalNot(zeros(2) as never)],
  ["an op's rule", "tf.reshape", () => tf.reshape(zeros(3), [2, 2] as never)],
  ["a rule that a function checks", "tf.conv2d", () => tf.conv2d(zeros(1, 4, 4, 2), zeros(3, 3, 3, 8))],
  ["values", "tf.tensor", () => tf.tensor([1, 2, 3], [2, 2])],
  ["bounds", "tf.clipByValue", () => tf.clipByValue(zeros(2), 3, 1)],
  ["a step", "tf.range", () => tf.range(0, 5, 0)],
  ["a shape", "tf.ensureShape", () => tf.ensureShape(zeros(2), [3] as never)],
  ["a device", "tf.device", () => tf.device("nowhere", () => zeros(2))],
  ["an option", "tf.variable", () => tf.variable([1], { trainble: false } as never)],
  ["an option of a layer", "tf.dense", () => tf.layers.dense({ unit: 3 } as never)],
  ["a dataset", "tf.batch", () => tf.data.range(3).batch(0)],
  ["a gradient", "tf.variableGrads", () => tf.variableGrads(() => zeros())],
  ["a rule inside of a function", "tf.add", () => tf.fn((a: tf.Tensor) => tf.add(a, zeros(3)))(zeros(2))],
])("%s", (_, name, call) => {
  const [caret, line] = messageOf(call).split("\n").reverse();
  expect(caret?.trim()).toBe("^");
  expect(line?.slice(caret!.indexOf("^")).replace("tf.", "")).toMatch(new RegExp(`^${name.slice(3)}`));
  expect(messageOf(call)).toMatch(/^ {2}at .*errors\.test\.ts:\d+:\d+$/m);
});
