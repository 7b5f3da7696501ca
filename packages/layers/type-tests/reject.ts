// What must not compile. Each line that starts with `//!` holds the whole sentence for the statement below it.
import type { Sym, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { input, layers, model, sequential } from "@millrace/layers";

declare const image: Tensor<[Sym<"batch">, 28, 28, 1], "float32">;
const net = sequential([layers.flatten(), layers.conv2d({ filters: 3, kernelSize: 3 })]);
const small = model({ inputs: input({ shape: [4] }), outputs: input({ shape: [4] }) });

//! dense: needs rank 2 or more, got [3]
layers.dense({ units: 3 }).apply(tf.zeros([3]));
//! conv2d: input must be [n,h,w,c], got [batch,784]
net.predict(image);
//! conv2d: input must be [n,h,w,c], got [batch,784]
net.fit(image, image);
//! conv2d: filter height 3 exceeds input height 2
layers.conv2d({ filters: 3, kernelSize: 3 }).apply(tf.zeros([1, 2, 8, 1]));
//! maxPooling2d: input must be [n,h,w,c], got [2,3]
layers.maxPooling2d().apply(tf.zeros([2, 3]));
//! reshape: [6] has 6 elements, [4] has 4
layers.reshape({ targetShape: [4] }).apply(tf.zeros([2, 6]));
//! model: needs input [batch,4], got [2,3]
small.predict(tf.zeros([2, 3]));
//! input: needs shape [batch,...[4]], got [2,3]
sequential([layers.inputLayer({ inputShape: [4] })]).predict(tf.zeros([2, 3]));
//! add: takes a list of tensors
layers.add().apply(tf.zeros([2, 3]));
//! TS2561
layers.dense({ units: 3, activaton: "relu" });
