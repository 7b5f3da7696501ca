// The ops beside those of ops.ts: one exact result each, and what depends on unknown sizes.
import type { Sym, Tensor } from "@millrace/core";
import * as tf from "@millrace/core";
import { is } from "../expect.js";

type B = Sym<"batch">;
declare const n: number;
declare const x: Tensor<[B, 784], "float32">;
declare const unknown: Tensor;
const t = tf.zeros([2, 3]);
const ints = tf.zeros([2, 3], "int32");
const flags = tf.zeros([2, 3], "bool");

// dtypes by op
is<[2, 3], "float32">()(tf.div(ints, ints), true);
is<[2, 3], "int32">()(tf.floorDiv(ints, 2), true);
is<[2, 3], "int32">()(tf.mod(ints, 2), true);
is<[2, 3], "int32">()(tf.pow(ints, 2), true);
is<[2, 3], "int32">()(tf.abs(ints), true);
is<[2, 3], "float32">()(tf.sigmoid(ints), true);
is<[2, 3], "bool">()(tf.logicalAnd(flags, true), true);
is<[2, 3], "bool">()(tf.logicalNot(flags), true);
is<[2, 3], "bool">()(tf.isNaN(t), true);
is<[2], "bool">()(tf.all(flags, 1), true);
is<[], "bool">()(tf.any(flags), true);
is<[], "int32">()(tf.prod(flags), true);
is<[2, 3], "int32">()(tf.cumsum(flags), true);
is<[3], "int32">()(tf.max(ints, 0), true);
is<[2, 3], "float32">()(tf.dropout(t, 0.5), true);

// creation
is<[2, 3], "float32">()(tf.ones([2, 3]), true);
is<[2, 3], "bool">()(tf.ones([2, 3], "bool"), true);
is<[2, 3], "float32">()(tf.fill([2, 3], 7), true);
is<[2, 3], "int32">()(tf.zerosLike(ints), true);
is<[3, 3], "float32">()(tf.eye(3), true);
is<[number], "float32">()(tf.linspace(0, 1, 5), true);

// products
is<[]>()(tf.dot([1, 2, 3], tf.zeros([3])), true);
is<[2]>()(tf.dot(t, [1, 2, 3]), true);
is<[4]>()(tf.dot([1, 2], tf.zeros([2, 4])), true);
is<[2, 4]>()(tf.dot(t, tf.zeros([3, 4])), true);
is<[2, 3]>()(tf.outerProduct([1, 2], [1, 2, 3]), true);

// shape
is<[6]>()(tf.flatten(t), true);
is<[number]>()(tf.flatten(x), true);
is<[B]>()(tf.flatten(tf.reshape(x, [-1, 784, 1]).sum([1, 2])), true);
is<[number]>()(tf.flatten(unknown), true);
is<[2, 3]>()(tf.stopGradient(t), true);
is<[2, 3]>()(tf.addN([t, t, t]), true);
is<[2, 3]>()(tf.clipByValue(t, 0, 1), true);

// images
is<[2, 6, 8]>()(tf.conv1d(tf.zeros([2, 8, 4]), tf.zeros([3, 4, 8])), true);
is<[2, 14, 14, 3]>()(
  tf.conv2dTranspose(tf.zeros([2, 7, 7, 8]), tf.zeros([3, 3, 3, 8]), [2, 14, 14, 3], 2, "same"),
  true,
);
is<[2, 5, 5, 6]>()(tf.separableConv2d(tf.zeros([2, 7, 7, 4]), tf.zeros([3, 3, 4, 2]), tf.zeros([1, 1, 8, 6])), true);
is<[2, 3, 3, 4], "float32">()(tf.avgPool(tf.zeros([2, 7, 7, 4], "int32"), 2), true);
is<[number, number, number, 4]>()(tf.avgPool(tf.zeros([n, n, n, 4]), 2), true);
