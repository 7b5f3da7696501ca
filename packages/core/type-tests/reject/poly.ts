// What must not compile in and with functions for any sizes.
import * as tf from "@millrace/core";

const product = tf.poly([["B", "T"], ["T", "C"]], (a, b) => tf.matMul(a, b));
const project = tf.poly([["B", 64]], (a) => tf.relu(a));

//! poly: size T is both 3 and 4
product(tf.zeros([2, 3]), tf.zeros([4, 5]));
//! poly: needs shape [T,C], got [3]
product(tf.zeros([2, 3]), tf.zeros([3]));
//! poly: needs shape [B,64], got [2,65]
project(tf.zeros([2, 65]));
//! TS2345
project(tf.zeros([2, 64], "int32"));
//! matMul: inner sizes 64 and 63 differ: [B,T,64] x [63,64]
tf.poly([["B", "T", 64], [63, 64]], (x, w) => tf.matMul(x, w));
//! matMul: inner sizes T and B differ: [B,T] x [B,C]
tf.poly([["B", "T"], ["B", "C"]], (a, b) => tf.matMul(a, b));
