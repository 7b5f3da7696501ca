// What must not compile. Each line that starts with `//!` holds the whole message for the statement below it.
import type { Sym, Tensor, Variable } from "@millrace/core";
import * as tf from "@millrace/core";

declare const x: Tensor<[Sym<"batch">, 784], "float32">;
declare const image: Tensor<[Sym<"batch">, 28, 28, 1], "float32">;
declare const v: Variable<[3, 4], "float32">;
const t = tf.tensor([[1, 2, 3], [4, 5, 6]]);

//! tensor: rows have different lengths
tf.tensor([[1, 2], [3]]);
//! tensor: rows have different lengths
tf.tensor([[[1], [2]], [[3], [4, 5]]]);
//! TS2322
tf.tensor(["a"]);
//! tensor: [-1] has a size that is not a whole number from 0
tf.tensor([1, 2], [-1]);
//! zeros: [2,-1] has a size that is not a whole number from 0
tf.zeros([2, -1]);
//! zeros: [2.5] has a size that is not a whole number from 0
tf.zeros([2.5]);
//! TS2345
tf.zeros([2], "float31");
//! add: [2,3] and [4] do not broadcast (3 vs 4)
tf.add(t, tf.zeros([4]));
//! add: [2,3] and [2] do not broadcast (3 vs 2)
tf.add(t, [1, 2]);
//! add: [batch,784] and [32,784] do not broadcast (batch vs 32)
tf.add(x, tf.zeros([32, 784]));
//! TS2554
tf.add(t);
//! TS2345
tf.add(t, {});
//! TS2345
tf.add(t, "3");
//! where: [2,3] and [4] do not broadcast (3 vs 4)
tf.where(tf.greater(t, 0), t, tf.zeros([4]));
//! broadcastTo: [2,3] and [3,3] do not broadcast (2 vs 3)
tf.broadcastTo(t, [3, 3]);
//! broadcastTo: [2,3] does not broadcast to [3]
tf.broadcastTo(t, [3]);
//! matMul: inner sizes 3 and 4 differ: [2,3] x [4,5]
tf.matMul(t, tf.zeros([4, 5]));
//! matMul: inner sizes 2 and 5 differ: [2,3] x [2,5]
tf.matMul(t, tf.zeros([2, 5]), true, true);
//! matMul: second argument needs rank 2 or more, got [3]
tf.matMul(t, tf.zeros([3]));
//! matMul: first argument needs rank 2 or more, got [3]
tf.matMul(tf.zeros([3]), t);
//! matMul (batch axes): [2] and [5] do not broadcast (2 vs 5)
tf.matMul(tf.zeros([2, 2, 3]), tf.zeros([5, 3, 4]));
//! matMul: inner sizes 784 and 783 differ: [batch,784] x [783,10]
tf.matMul(x, tf.zeros([783, 10]));
//! transpose: perm [0,0] is not a permutation for [2,3]
tf.transpose(t, [0, 0]);
//! transpose: perm [0] is not a permutation for [2,3]
tf.transpose(t, [0]);
//! reshape: [2,3] has 6 elements, [4,2] has 8
tf.reshape(t, [4, 2]);
//! reshape: [2,3] (6 elements) does not divide into [-1,4]
tf.reshape(t, [-1, 4]);
//! reshape: [-1,-1] has more than one -1
tf.reshape(t, [-1, -1]);
//! reshape: [-2,-3] has the negative size -2
tf.reshape(t, [-2, -3]);
//! reshape: [batch,28,28,1] and [32,784] differ by a named size
tf.reshape(image, [32, 784]);
//! expandDims: axis 4 is out of range for [2,3]
tf.expandDims(t, 4);
//! squeeze: axis 1 of [2,3] has size 3, not 1
tf.squeeze(t, 1);
//! squeeze: axis 2 is out of range for [2,3]
tf.squeeze(t, 2);
//! reverse: axis 2 is out of range for [2,3]
tf.reverse(t, [0, 2]);
//! softmax: axis 2 is out of range for [2,3]
tf.softmax(t, 2);
//! sum: axis 2 is out of range for [2,3]
tf.sum(t, 2);
//! mean: axis -3 is out of range for [2,3]
tf.mean(t, [0, -3]);
//! argMax: axis 2 is out of range for [2,3]
tf.argMax(t, 2);
//! concat: [2,3] and [2,4] differ outside axis 0
tf.concat([t, tf.zeros([2, 4])]);
//! concat: [2,3] and [3] differ outside axis 0
tf.concat([t, tf.zeros([3])]);
//! concat: axis 2 is out of range for [2,3]
tf.concat([t, t], 2);
//! concat: needs at least one tensor
tf.concat([]);
//! stack: [2,3] and [2,4] differ
tf.stack([t, tf.zeros([2, 4])]);
//! stack: axis 3 is out of range for [2,3]
tf.stack([t, t], 3);
//! split: size 3 of [2,3] does not divide into 2 parts
tf.split(t, 2, 1);
//! split: sizes [1,1] do not add up to 3
tf.split(t, [1, 1], 1);
//! split: axis 2 is out of range for [2,3]
tf.split(t, 2, 2);
//! unstack: axis 2 is out of range for [2,3]
tf.unstack(t, 2);
//! gather: indices must be int32, got float32
tf.gather(t, tf.zeros([2]));
//! gather: axis 2 is out of range for [2,3]
tf.gather(t, tf.zeros([2], "int32"), 2);
//! slice: begin 3 is past size 2 of [2,3]
tf.slice(t, [3]);
//! slice: begin 1 and size 3 exceed size 3 of [2,3]
tf.slice(t, [1, 1], [1, 3]);
//! slice: more begins than axes of [2,3]
tf.slice(t, [0, 0, 0]);
//! pad: [2,3] needs 2 pairs, got 1
tf.pad(t, [[1, 1]]);
//! tile: [2,3] needs 2 repeats, got 1
tf.tile(t, [2]);
//! oneHot: indices must be int32, got float32
tf.oneHot(t, 10);
//! conv2d: input has 1 channels, filter expects 3
tf.conv2d(image, tf.zeros([3, 3, 3, 8]));
//! conv2d: filter height 31 exceeds input height 28
tf.conv2d(image, tf.zeros([31, 3, 1, 8]), 1, 1);
//! conv2d: filter height 7 exceeds input height 5
tf.conv2d(tf.zeros([1, 5, 28, 1]), tf.zeros([7, 3, 1, 8]));
//! conv2d: filter width 7 exceeds input width 5
tf.conv2d(tf.zeros([1, 28, 5, 1]), tf.zeros([3, 7, 1, 8]));
//! conv2d: input must be [n,h,w,c], got [batch,784]
tf.conv2d(x, tf.zeros([3, 3, 1, 8]));
//! conv2d: filter must be [h,w,in,out], got [3,3,1]
tf.conv2d(image, tf.zeros([3, 3, 1]));
//! depthwiseConv2d: input has 4 channels, filter expects 5
tf.depthwiseConv2d(tf.zeros([1, 7, 7, 4]), tf.zeros([3, 3, 5, 1]));
//! maxPool: window height 6 exceeds input height 5
tf.maxPool(tf.zeros([1, 5, 5, 1]), 6);
//! maxPool: input must be [n,h,w,c], got [2,3]
tf.maxPool(t, 2);
//! ensureShape: needs shape [2,4], got [2,3]
tf.ensureShape(t, [2, 4]);
//! assign: needs shape [3,4], got [4,3]
v.assign(tf.zeros([4, 3]));
//! assign: needs dtype float32, got int32
v.assign(tf.zeros([3, 4], "int32"));
//! assignAdd: [5] and [3,4] do not broadcast (5 vs 4)
v.assignAdd(tf.zeros([5]));
//! assignSub: [2,3,4] does not broadcast to [3,4]
v.assignSub(tf.zeros([2, 3, 4]));

// methods
//! add: [2,3] and [4] do not broadcast (3 vs 4)
t.add(tf.zeros([4]));
//! matMul: inner sizes 3 and 4 differ: [2,3] x [4,5]
t.matMul(tf.zeros([4, 5]));
//! sum: axis 2 is out of range for [2,3]
t.sum(2);
//! reshape: [2,3] has 6 elements, [4,2] has 8
t.reshape([4, 2]);

// known shapes do not flow into other ones
//! TS2322
const wrong: Tensor<[32, 11], "float32"> = tf.zeros([32, 10]);
//! TS2322
const wrongDType: Tensor<[32, 10], "int32"> = tf.zeros([32, 10]);
//! TS2345
((a: Tensor<[2, 3], "float32">) => tf.relu(a))(tf.zeros([3, 2]));
//! TS2540
t.shape = [2, 3];
export { wrong, wrongDType };
