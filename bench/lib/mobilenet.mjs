// MobileNetV2 1.0 for 224 × 224 pictures, as Keras's application has it: Sandler et al., 2018, table 2.
import * as tf from "millrace";

const { activation, add, batchNormalization, conv2d, dense, globalAveragePooling2d, reLU } = tf.layers;

/** A filter for each channel, "same" padding. */
class Depthwise extends tf.Layer {
  constructor({ strides, ...config }) {
    super(config);
    this.strides = strides;
  }
  build([, , , channels]) {
    this.filter = this.addWeight({ name: "filter", shape: [3, 3, channels, 1], initializer: "glorotUniform" });
  }
  call(x) {
    return tf.depthwiseConv2d(x, this.filter, this.strides, "same");
  }
  computeOutputShape([batch, height, width, channels]) {
    return [batch, Math.ceil(height / this.strides), Math.ceil(width / this.strides), channels];
  }
}

const normalized = (x) => batchNormalization({ epsilon: 1e-3, momentum: 0.999 }).apply(x);
const relu6 = (x) => reLU({ maxValue: 6 }).apply(normalized(x));
const pointwise = (x, filters) => conv2d({ filters, kernelSize: 1, useBias: false }).apply(x);

/** Widen, filter each channel, narrow; the input is added where it fits. */
function block(x, { expansion, filters, strides }) {
  const channels = x.shape[3];
  const wide = expansion > 1 ? relu6(pointwise(x, expansion * channels)) : x;
  const narrow = normalized(pointwise(relu6(new Depthwise({ strides }).apply(wide)), filters));
  return strides === 1 && filters === channels ? add().apply([x, narrow]) : narrow;
}

/** expansion, filters, repetitions, strides of the first */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

export function mobileNetV2() {
  const inputs = tf.input({ shape: [224, 224, 3] });
  let x = relu6(conv2d({ filters: 32, kernelSize: 3, strides: 2, padding: "same", useBias: false }).apply(inputs));
  for (const [expansion, filters, count, first] of stages) {
    for (let i = 0; i < count; i++) x = block(x, { expansion, filters, strides: i === 0 ? first : 1 });
  }
  x = globalAveragePooling2d().apply(relu6(pointwise(x, 1280)));
  return tf.model({ inputs, outputs: activation({ activation: "softmax" }).apply(dense({ units: 1000 }).apply(x)) });
}
