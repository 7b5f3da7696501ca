// What compiles, with the exact shape and dtype of the result.
import type { Sym, Tensor } from "@millrace/core";
import * as tf from "@millrace/core";
import { is } from "../expect.js";

type B = Sym<"batch">;
declare const n: number;
declare const sizes: number[];
declare const vector: number[];
declare const matrix: number[][];
declare const x: Tensor<[B, 784], "float32">;
declare const image: Tensor<[B, 28, 28, 1], "float32">;
declare const unknown: Tensor;
const t = tf.tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const ints = tf.zeros([2, 3], "int32");

// literals, without `as const`
is<[2, 3], "float32">()(t, true);
is<[], "float32">()(tf.tensor(3), true);
is<[2], "bool">()(tf.tensor([true, false]), true);
is<[2], "int64">()(tf.tensor([1n, 2n]), true);
is<[0], "float32">()(tf.tensor([]), true);
is<[number], "float32">()(tf.tensor(vector), true);
is<[number, number], "float32">()(tf.tensor(matrix), true);
is<[number], "int32">()(tf.tensor(new Int32Array(6)), true);
is<[2, 3], "float32">()(tf.tensor(new Float32Array(6), [2, 3]), true);
is<[2, 3], "uint8">()(tf.tensor(new Uint8Array(6), [2, 3]), true);
is<[6], "int64">()(tf.tensor(new BigInt64Array(6), [6]), true);
is<[2, 3], "float32">()(tf.tensor(vector, [2, 3]), true);
is<[2, 3], "int32">()(tf.tensor(vector, [2, 3], "int32"), true);
is<[2, 2], "int32">()(
  tf.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    undefined,
    "int32",
  ),
  true,
);
is<[2, 1], "bool">()(tf.tensor([true, false], [2, 1]), true);
is<[3], "int64">()(tf.tensor([1n, 2n, 3n], [3]), true);
is<[], "float32">()(tf.scalar(3), true);
is<[], "int64">()(tf.scalar(3, "int64"), true);
is<[], "bool">()(tf.scalar(true), true);

// creation
is<[2, 3], "float32">()(tf.zeros([2, 3]), true);
is<any, "float32">()(tf.zeros(sizes), true);
is<[number, 3], "float32">()(tf.zeros([n, 3]), true);
is<[5, 10], "int32">()(tf.oneHot([1, 2, 3, 4, 5], 10), true);
is<[2, 3, number], "int32">()(tf.oneHot(ints, n), true);

// broadcasting
is<[2, 3]>()(tf.add(t, tf.zeros([3])), true);
is<[2, 3]>()(tf.add(t, 1), true);
is<[2, 3]>()(tf.add(1, t), true);
is<[2, 3]>()(tf.add(t, [1, 2, 3]), true);
is<[2]>()(tf.add([1, 2], 3), true);
is<[4, 2, 3]>()(tf.add(t, tf.zeros([4, 1, 3])), true);
is<any>()(tf.add(t, unknown), true);
is<any>()(tf.add(unknown, t), true);
is<any>()(tf.add(unknown, 2), true);
is<[B, 784]>()(tf.mul(x, tf.zeros([784])), true);
is<[B, 784]>()(tf.mul(tf.zeros([1, 784]), x), true);
is<[number, 3]>()(tf.add(tf.zeros([n, 1]), tf.zeros([3])), true);
is<[number]>()(tf.add(tf.zeros([1]), tf.zeros([n])), true);
is<[number]>()(tf.add(tf.zeros([n]), tf.zeros([1])), true);
is<[3]>()(tf.add(tf.zeros([n]), tf.zeros([3])), true);
is<[0]>()(tf.add(tf.zeros([1]), tf.zeros([0])), true);
is<[4, 3]>()(tf.broadcastTo(tf.zeros([3]), [4, 3]), true);
is<[2, 3], "float32">()(tf.where(tf.greater(t, 0), t, 0), true);
is<[4, 2, 3], "float32">()(tf.where(tf.zeros([4, 1, 1], "bool"), t, 0), true);

// dtypes
is<[2, 3], "float32">()(tf.add(ints, t), true);
is<[2, 3], "int32">()(tf.add(ints, tf.zeros([3], "bool")), true);
is<[2, 3], "int32">()(tf.add(ints, 1), true);
is<[2, 3], "int64">()(tf.add(ints, tf.zeros([3], "int64")), true);
is<[2, 3], "float32">()(tf.add(tf.zeros([2, 3], "int64"), t), true);
is<[2, 3], "float64">()(tf.mul(t, tf.zeros([3], "float64")), true);
is<[2], "float32">()(tf.add(tf.zeros([2], "bool"), 1), true);
is<[2], "int32">()(tf.add(tf.zeros([2], "int32"), 1n), true);
is<[2], "int64">()(tf.add(tf.zeros([2], "bool"), 1n), true);
is<[2, 3], "bool">()(tf.greater(t, 0), true);
is<[2, 3], "int32">()(tf.cast(t, "int32"), true);
is<[], "int32">()(tf.sum(tf.greater(t, 0)), true);
is<[], "int32">()(tf.sum(ints), true);
is<[], "float32">()(tf.mean(ints), true);
is<[], "float64">()(tf.mean(tf.zeros([2], "float64")), true);
is<[2, 3], "float32">()(tf.exp(ints), true);
is<[2, 3], "float64">()(tf.exp(tf.zeros([2, 3], "float64")), true);
is<[2, 3], "int32">()(tf.relu(ints), true);

// matMul
is<[2, 5]>()(tf.matMul(t, tf.zeros([3, 5])), true);
is<[B, 128]>()(tf.matMul(x, tf.zeros([784, 128])), true);
is<[8, 2, 5]>()(tf.matMul(tf.zeros([8, 2, 3]), tf.zeros([3, 5])), true);
is<[4, 8, 2, 5]>()(tf.matMul(tf.zeros([4, 1, 2, 3]), tf.zeros([8, 3, 5])), true);
is<[2, 5]>()(tf.matMul(tf.zeros([3, 2]), tf.zeros([5, 3]), true, true), true);
is<[2, number]>()(tf.matMul(t, tf.zeros([n, n])), true);
is<any>()(tf.matMul(unknown, t), true);
is<[2, 1]>()(tf.matMul(t, [[1], [2], [3]]), true);

// transpose, reshape
is<[3, 2]>()(tf.transpose(t), true);
is<[4, 2, 3]>()(tf.transpose(tf.zeros([2, 3, 4]), [2, 0, 1]), true);
is<[number, number]>()(tf.transpose(t, sizes), true);
is<[3, 2]>()(tf.reshape(t, [3, 2]), true);
is<[6]>()(tf.reshape(t, [-1]), true);
is<[]>()(tf.reshape(tf.zeros([1, 1]), []), true);
is<[B, 784]>()(tf.reshape(image, [-1, 784]), true);
is<[B, 784]>()(tf.reshape(image, [image.shape[0], 784]), true);
is<[B, 28, 28]>()(tf.reshape(image, [image.shape[0], 28, -1]), true);
is<[number, 780]>()(tf.reshape(image, [-1, 780]), true);
is<[number, 784]>()(tf.reshape(tf.zeros([n, 28, 28]), [-1, 784]), true);
is<[32, 196, 768]>()(tf.reshape(tf.zeros([32, 14, 14, 768]), [32, -1, 768]), true);
is<[4816896]>()(tf.reshape(tf.zeros([32, 224, 224, 3]), [-1]), true);
is<[0]>()(tf.reshape(tf.zeros([3, 0]), [-1]), true);
is<any>()(tf.reshape(t, sizes), true);
is<[number, 784]>()(tf.reshape(unknown, [-1, 784]), true);

// axes
is<[1, 2, 3]>()(tf.expandDims(t), true);
is<[2, 3, 1]>()(tf.expandDims(t, -1), true);
is<[2, 1, 3]>()(tf.expandDims(t, 1), true);
is<[number, number, number]>()(tf.expandDims(t, n), true);
is<[2, 3]>()(tf.squeeze(tf.zeros([1, 2, 1, 3])), true);
is<[1, 2, 3]>()(tf.squeeze(tf.zeros([1, 2, 1, 3]), 2), true);
is<[1, 2]>()(tf.squeeze(tf.zeros([1, 2, 1]), -1), true);
is<any>()(tf.squeeze(tf.zeros([n, 2])), true);
is<[2, 3]>()(tf.reverse(t, [0, -1]), true);
is<[2, 3]>()(tf.softmax(t), true);
is<[2, 3]>()(tf.softmax(t, 0), true);
is<any>()(tf.softmax(unknown), true);

// reductions
declare const axis: number | undefined;
declare const keep: boolean;
is<[]>()(tf.sum(t), true);
is<[2]>()(tf.sum(t, 1), true);
is<[2, 1]>()(tf.sum(t, -1, true), true);
is<[1, 1]>()(tf.sum(t, undefined, true), true);
is<[4]>()(tf.mean(tf.zeros([2, 3, 4]), [0, 1]), true);
is<[1, 3, 1]>()(tf.mean(tf.zeros([2, 3, 4]), [0, -1], true), true);
is<[2, 3]>()(tf.mean(t, []), true);
is<any>()(tf.mean(t, n), true);
is<[number, number]>()(tf.mean(t, n, true), true);
is<[number, number]>()(tf.mean(t, sizes, true), true);
is<any>()(tf.mean(t, axis), true);
is<[number, number]>()(tf.mean(t, axis, true), true);
is<any>()(tf.mean(t, 1, keep), true);
is<[]>()(tf.sum(unknown), true);
is<any>()(tf.sum(unknown, axis), true);
is<[B]>()(tf.mean(x, -1), true);
is<[3], "int32">()(tf.argMax(t), true);
is<[2], "int32">()(tf.argMax(t, -1), true);
is<[1, 1, 1, 1, 1, 1, 1, 1, 2]>()(tf.sum(tf.zeros([1, 1, 1, 1, 1, 1, 1, 1, 2, 5]), -1), true);

// concat, stack, split
declare const list: Tensor<[2, 3], "float32">[];
is<[5, 3]>()(tf.concat([t, tf.zeros([3, 3])]), true);
is<[2, 10]>()(tf.concat([t, tf.zeros([2, 3]), tf.zeros([2, 4])], -1), true);
is<[number, 3]>()(tf.concat([t, tf.zeros([n, 3])]), true);
is<[2, 7]>()(tf.concat([tf.zeros([n, 3]), tf.zeros([2, 4])], 1), true);
is<[2, 7]>()(tf.concat([tf.zeros([2, 3]), tf.zeros([n, 4])], 1), true);
is<[number, number]>()(tf.concat([t, unknown]), true);
is<[number, number], "float32">()(tf.concat(list), true);
is<[4, 3], "float32">()(tf.concat([ints, t]), true);
is<[2, 4]>()(tf.concat([t, [[1], [2]]], 1), true);
is<[2, 2, 3]>()(tf.stack([t, t]), true);
is<[2, 3, 2]>()(tf.stack([t, t], -1), true);
is<[number, number, number]>()(tf.stack(list), true);
is<[3], "float32">()(tf.stack([1, 2, 3]), true);
const [left, right] = tf.split(tf.zeros([4, 6]), 2, 1);
is<[4, 3], "float32">()(left, true);
is<[4, 3]>()(right, true);
is<[4, 2]>()(tf.split(tf.zeros([4, 6]), [1, 3, 2], -1)[2], true);
is<[B, 392]>()(tf.split(x, 2, 1)[0], true);
is<[3], "int32">()(tf.unstack(ints)[1], true);
is<[784]>()(tf.unstack(x)[0]!, true);

// gather, slice, pad, tile
is<[7, 3]>()(tf.gather(t, tf.zeros([7], "int32")), true);
is<[2, 4, 5]>()(tf.gather(t, tf.zeros([4, 5], "int32"), 1), true);
is<[3]>()(tf.gather(t, 0), true);
is<[2, 2]>()(tf.gather(t, [2, 0], -1), true);
is<any>()(tf.gather(unknown, [0]), true);
is<[1, 2]>()(tf.slice(t, [0, 1], [1, 2]), true);
is<[1, 2]>()(tf.slice(t, [1, 1]), true);
is<[2, 2]>()(tf.slice(t, [0, 1], [-1, -1]), true);
is<[1, 3]>()(tf.slice(t, [1]), true);
is<[1, 3]>()(tf.slice(t, 1, 1), true);
is<[B, 10]>()(tf.slice(x, [0, 700], [-1, 10]), true);
is<[number, 3]>()(tf.slice(t, [n]), true);
is<[number, number]>()(tf.slice(t, sizes), true);
is<[3, 7]>()(
  tf.pad(t, [
    [0, 1],
    [2, 2],
  ]),
  true,
);
is<[B, 785]>()(
  tf.pad(x, [
    [0, 0],
    [1, 0],
  ]),
  true,
);
is<[4, 3]>()(tf.tile(t, [2, 1]), true);
is<[B, 1568]>()(tf.tile(x, [1, 2]), true);

// images
is<[B, 26, 26, 32]>()(tf.conv2d(image, tf.zeros([3, 3, 1, 32])), true);
is<[B, 14, 14, 32]>()(tf.conv2d(image, tf.zeros([3, 3, 1, 32]), 2, "same"), true);
is<[B, 13, 14, 8]>()(tf.conv2d(image, tf.zeros([3, 1, 1, 8]), [2, 2]), true);
is<[B, 28, 28, 8]>()(tf.conv2d(image, tf.zeros([3, 3, 1, 8]), 1, 1), true);
is<[B, 24, 24, 8]>()(tf.conv2d(image, tf.zeros([3, 3, 1, 8]), 1, "valid", "NHWC", 2), true);
is<[1, 112, 112, 64]>()(tf.conv2d(tf.zeros([1, 224, 224, 3]), tf.zeros([7, 7, 3, 64]), 2, "same"), true);
is<[number, number, number, 8]>()(tf.conv2d(tf.zeros([n, n, n, n]), tf.zeros([3, 3, 1, 8])), true);
is<[2, 5, 5, 12]>()(tf.depthwiseConv2d(tf.zeros([2, 7, 7, 4]), tf.zeros([3, 3, 4, 3])), true);
is<[B, 14, 14, 1]>()(tf.maxPool(image, 2), true);
is<[B, 26, 14, 1]>()(tf.maxPool(image, [3, 2], [1, 2]), true);
is<[B, 10, 10, 1]>()(tf.maxPool(image, 3, 3, "same"), true);

// narrowing, variables
is<[32, 784]>()(tf.ensureShape(unknown, [32, 784]), true);
is<[32, 3]>()(tf.ensureShape(tf.zeros([n, 3]), [32, 3]), true);
const w = tf.variable(tf.zeros([784, 128]));
w.assign(tf.zeros([784, 128]));
w.assign(unknown);
w.assign(tf.zeros([n, 128]));
w.assignAdd(1).assignSub(tf.zeros([128]));
is<[784, 128]>()(w, true);
is<[784, 128]>()(w.assign(unknown), true);
is<[784, 128]>()(w.read(), true);
is<[B, 128]>()(tf.matMul(x, w), true);
is<[2], "float32">()(tf.variable([1, 2]), true);
is<[2], "int32">()(tf.variable([1, 2], { dtype: "int32" }), true);
is<[2], "float32">()(tf.variable([1, 2], { trainable: false, name: "w" }), true);
is<[2], "int32">()(tf.variable([1, 2], true, "w", "int32"), true);
is<[2], "bool">()(tf.variable([true, false], false), true);
