// Generic bodies checked with named sizes, calls with the sizes of their arguments.
import type { Sym, Tensor } from "@millrace/core";
import * as tf from "@millrace/core";
import { is } from "../expect.js";

declare const n: number;
declare const unknown: Tensor<any, "float32">;

const attention = tf.poly(
  [
    ["B", "T", 64],
    [64, 64],
  ],
  (x, w) => {
    is<[Sym<"B">, Sym<"T">, 64], "float32">()(x, true);
    const q = tf.matMul(x, w);
    const scores = tf.softmax(tf.matMul(q, tf.transpose(q, [0, 2, 1])));
    return tf.add(tf.matMul(scores, q), x);
  },
);
is<[2, 7, 64], "float32">()(attention(tf.zeros([2, 7, 64]), tf.zeros([64, 64])), true);
is<[number, 7, 64]>()(attention(tf.zeros([n, 7, 64]), tf.zeros([64, 64])), true);
is<[number, number, 64]>()(attention(unknown, unknown), true);

const product = tf.poly(
  [
    ["B", "T"],
    ["T", "C"],
  ],
  (a, b) => tf.matMul(a, b),
);
is<[2, 5]>()(product(tf.zeros([2, 3]), tf.zeros([3, 5])), true);

const count = tf.poly([["N", "C"]], (x) => tf.argMax(x, 1));
is<[9], "int32">()(count(tf.zeros([9, 4])), true);
