// What must not compile, for the ops beside those of ops.ts.
import * as tf from "@millrace/core";

const t = tf.zeros([2, 3]);

//! div: [2,3] and [2] do not broadcast (3 vs 2)
tf.div(t, tf.zeros([2]));
//! logicalOr: [2,3] and [2] do not broadcast (3 vs 2)
tf.logicalOr(tf.greater(t, 0), [true, false]);
//! dot: inner sizes 3 and 2 differ: [2,3] x [2]
tf.dot(t, [1, 2]);
//! dot: needs rank 1 or 2, got [3,1,1]
tf.dot(t, tf.zeros([3, 1, 1]));
//! outerProduct: needs two vectors, got [2,3] and [2]
tf.outerProduct(t, [1, 2]);
//! cumsum: axis 2 is out of range for [2,3]
tf.cumsum(t, 2);
//! logSoftmax: axis -3 is out of range for [2,3]
tf.logSoftmax(t, -3);
//! all: axis 2 is out of range for [2,3]
tf.all(tf.greater(t, 0), 2);
//! conv1d: input has 4 channels, filter expects 5
tf.conv1d(tf.zeros([2, 8, 4]), tf.zeros([3, 5, 8]));
//! conv1d: filter width 3 exceeds input width 2
tf.conv1d(tf.zeros([2, 2, 4]), tf.zeros([3, 4, 8]));
//! separableConv2d: the depthwise result has 8 channels, the pointwise filter expects 7
tf.separableConv2d(tf.zeros([2, 7, 7, 4]), tf.zeros([3, 3, 4, 2]), tf.zeros([1, 1, 7, 6]));
//! prelu: [2,3] and [2] do not broadcast (3 vs 2)
tf.prelu(t, tf.zeros([2]));
//! conv2d: input must be [n,h,w,c], got [2,3]
t.conv2d(tf.zeros([3, 3, 1, 8]));
//! pow: [2,3] and [2] do not broadcast (3 vs 2)
t.pow([1, 2]);
//! TS2339
t.concat;
