// Versions of operators, and the release that first had them: as TensorFlow 2.21's converter gives them to the same functions.
import * as tf from "millrace";
import { convert, readModel } from "../src/index.js";

type Tensor = tf.Tensor;
type Op = (a: Tensor, b: Tensor) => unknown;

const kernel = tf.randomUniform([3, 3, 2, 3], -1, 1, "float32", 3) as Tensor;
const depthwise = tf.randomUniform([3, 3, 2, 1], -1, 1, "float32", 3) as Tensor;
const upsample = (x: Tensor): Tensor => tf.conv2dTranspose(x, kernel as never, [1, 8, 8, 2] as never, 2, "same");

const facts: readonly [op: string, version: number, release: string, tf.DType, shape: readonly number[], f: Op][] = [
  ["ABS", 5, "2.12.0", "int32", [2, 3], (x) => tf.abs(x)],
  ["ADD", 4, "2.6.0", "int64", [2, 3], (a, b) => tf.add(a, b)],
  ["MUL", 5, "2.6.0", "int64", [2, 3], (a, b) => tf.mul(a, b)],
  ["SUB", 4, "2.4.0", "int64", [2, 3], (a, b) => tf.sub(a, b)],
  ["FLOOR_DIV", 2, "1.14.0", "float32", [2, 3], (a, b) => tf.floorDiv(a, b)],
  ["FLOOR_MOD", 1, "1.13.0", "float32", [2, 3], (a, b) => tf.mod(a, b)],
  ["GATHER", 3, "1.15.0", "bool", [2, 3], (x) => tf.gather(x, tf.tensor([1, 0], undefined, "int32"))],
  ["SLICE", 5, "2.5.0", "float32", [2, 2, 2, 2, 2], (x) => tf.slice(x, [0, 0, 0, 0, 1], [2, 2, 2, 2, 1])],
  ["TRANSPOSE", 3, "1.15.0", "bool", [2, 3], (x) => tf.transpose(x)],
  ["TRANSPOSE", 4, "2.3.0", "float32", [2, 2, 2, 2, 3], (x) => tf.transpose(x, [4, 3, 2, 1, 0])],
  ["TRANSPOSE", 6, "2.12.0", "float32", [2, 2, 2, 2, 3, 2], (x) => tf.transpose(x, [5, 4, 3, 2, 1, 0])],
  ["PAD", 4, "2.6.0", "float32", [2, 2, 2, 2, 3], (x) => tf.pad(x, [2, 2, 2, 2, 3].map(() => [1, 1]) as never)],
  [
    "PADV2",
    1,
    "1.9.0",
    "float32",
    [2, 2],
    (x) =>
      tf.pad(
        x,
        [
          [1, 1],
          [1, 1],
        ] as never,
        3,
      ),
  ],
  ["REVERSE_V2", 2, "2.2.0", "bool", [2, 3], (x) => tf.reverse(x, 1)],
  ["SIGN", 2, "2.12.0", "int32", [2, 3], (x) => tf.sign(x)],
  ["SIGN", 1, "2.11.0", "float32", [2, 3], (x) => tf.sign(x)],
  ["SPLIT", 3, "1.14.0", "int32", [2, 4], (x) => Object.fromEntries(tf.split(x, 2, 1).map((y, i) => [`y${i}`, y]))],
  ["TRANSPOSE_CONV", 1, "1.9.0", "float32", [1, 4, 4, 3], upsample],
  ["TRANSPOSE_CONV", 4, "2.13.0", "float32", [1, 4, 4, 3], (x) => tf.relu(tf.add(upsample(x), tf.tensor([1, 2])))],
  [
    "DEPTHWISE_CONV_2D",
    2,
    "1.12.0",
    "float32",
    [1, 8, 8, 2],
    (x) => tf.depthwiseConv2d(x, depthwise as never, 1, "same", "NHWC", 2),
  ],
  ["CUMSUM", 1, "2.4.0", "float32", [2, 3], (x) => tf.cumsum(x, 1)],
  ["ATAN2", 1, "2.10.0", "float32", [2, 3], (a, b) => tf.atan2(a, b)],
  ["ARG_MAX", 1, "1.9.0", "float32", [2, 3], (x) => tf.argMax(x, 1)],
  ["REDUCE_ALL", 1, "2.6.0", "bool", [2, 3], (x) => tf.all(x, 1)],
  ["GELU", 1, "2.9.0", "float32", [2, 3], (x) => tf.gelu(x)],
];

test.each(facts)("%s %i of %s", async (operator, version, release, dtype, shape, f) => {
  const spec = { shape, dtype };
  const named = tf.nameFunction("f", ({ a, b }) => f(a!, b!) as Tensor, { a: spec, b: spec });
  const { graphs, minRuntimeVersion } = readModel((await convert([named])).bytes);
  expect(graphs[0]!.operators.map((o) => [o.operator, o.version])).toEqual([[operator, version]]);
  expect(minRuntimeVersion).toBe(release);
});
