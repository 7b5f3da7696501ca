// What the compiler knows of layers and models.
import type { DType, Shape, Sym, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { input, Layer, layers, model, type SymbolicTensor, sequential } from "@millrace/layers";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** `is<[2, 3], "float32">()(x, true)`: x has exactly this shape and dtype. */
declare function is<S, D = "float32">(): <T extends { readonly shape: unknown; readonly dtype: unknown }>(
  tensor: T,
  ok: Equal<T["shape"], S> extends true ? Equal<T["dtype"], D> : false,
) => void;
/** The same for a symbolic tensor. */
declare function drawn<S extends Shape, D extends DType = "float32">(): <T>(
  x: T,
  ok: Equal<T, SymbolicTensor<S, D>>,
) => void;

type Batch = Sym<"batch">;
declare const x: Tensor<[Batch, 784], "float32">;
declare const image: Tensor<[Batch, 28, 28, 1], "float32">;
declare const ids: Tensor<[32, 7], "int32">;
declare const unknown: Tensor;

// layers
is<[Batch, 10]>()(layers.dense({ units: 10 }).apply(x), true);
is<[2, 5, 10]>()(layers.dense({ units: 10 }).apply(tf.zeros([2, 5, 3])), true);
is<[2, 10], "float64">()(layers.dense({ units: 10, dtype: "float64" }).apply(tf.zeros([2, 3])), true);
is<[Batch, 784]>()(layers.flatten().apply(image), true);
is<[Batch, 26, 26, 8]>()(layers.conv2d({ filters: 8, kernelSize: 3 }).apply(image), true);
is<[Batch, 14, 14, 8]>()(
  layers.conv2d({ filters: 8, kernelSize: [3, 5], strides: 2, padding: "same" }).apply(image),
  true,
);
is<[Batch, 14, 14, 1]>()(layers.maxPooling2d().apply(image), true);
is<[Batch, 26, 26, 1]>()(layers.averagePooling2d({ poolSize: 3, strides: 1 }).apply(image), true);
is<[Batch, 1]>()(layers.globalAveragePooling2d().apply(image), true);
is<[Batch, 1, 1, 1]>()(layers.globalMaxPooling2d({ keepDims: true }).apply(image), true);
is<[32, 7, 16]>()(layers.embedding({ inputDim: 100, outputDim: 16 }).apply(ids), true);
is<[Batch, 28, 28]>()(layers.reshape({ targetShape: [28, -1] }).apply(x), true);
is<[32, 7], "int32">()(layers.dropout({ rate: 0.5 }).apply(ids), true);
is<[Batch, 784]>()(layers.batchNormalization().apply(x), true);
is<[Batch, 784]>()(layers.add().apply([x, x]), true);
is<[Batch, number]>()(layers.concatenate().apply([x, x]), true);
is<[Batch, 784]>()(layers.activation({ activation: "relu" }).apply(x), true);
is<any>()(layers.dense({ units: 10 }).apply(unknown), true);

// a chain of layers
const cnn = sequential([
  layers.conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
  layers.maxPooling2d({ poolSize: 2 }),
  layers.conv2d({ filters: 64, kernelSize: 3, activation: "relu" }),
  layers.maxPooling2d({ poolSize: 2 }),
  layers.flatten(),
  layers.dropout({ rate: 0.5 }),
  layers.dense({ units: 10, activation: "softmax" }),
]);
is<[Batch, 10]>()(cnn.predict(image), true);
is<[7, 10]>()(cnn.predict(tf.zeros([7, 28, 28, 1])), true);
is<[7, 10]>()(cnn.apply(tf.zeros([7, 28, 28, 1]), { training: true }), true);
is<[7, 3]>()(sequential([cnn, layers.dense({ units: 3 })]).predict(tf.zeros([7, 28, 28, 1])), true);
is<[5, 10]>()(
  sequential([layers.inputLayer({ inputShape: [4] }), layers.dense({ units: 10 })]).predict(tf.zeros([5, 4])),
  true,
);
is<[5, 10]>()(sequential({ layers: [layers.dense({ units: 10 })] }).predict(tf.zeros([5, 4])), true);

// functional models
const a = input({ shape: [784] });
drawn<[Batch, 784]>()(a, true);
const b = layers.dense({ units: 10 }).apply(a);
drawn<[Batch, 10]>()(b, true);
const functional = model({ inputs: a, outputs: b });
is<[5, 10]>()(functional.predict(tf.zeros([5, 784])), true);
const [p, q] = model({ inputs: [a, a], outputs: [b, a] }).predict([tf.zeros([5, 784]), tf.zeros([5, 784])]);
is<[5, 10]>()(p, true);
is<[5, 784]>()(q, true);

// any layer goes into a list of layers, one of one's own too
class Scale extends Layer {
  override call(inputs: Tensor): Tensor {
    return tf.mul(inputs, 2);
  }
}
const list: Layer[] = [layers.dense({ units: 3 }), cnn, functional, new Scale()];
is<any, any>()(sequential(list).predict(x), true);

// a dataset is predicted as a promise
declare const dataset: AsyncIterable<{ xs: Tensor }>;
const promised: Promise<Tensor> = cnn.predict(dataset);
// @ts-expect-error a promise has no data
cnn.predict(dataset).data();
void promised;
declare const inputs: AsyncIterable<Tensor>;
const also: Promise<Tensor> = cnn.predict(inputs);
void also;
void cnn.fit(image, tf.zeros([32, 10]), { epochs: 2, verbose: 0 });
void cnn.fit(dataset, { epochs: 2 });
void cnn.fit(async function* () {
  yield { xs: image, ys: x };
  yield [image, x] as const;
});
