import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import {
  deserializeLayer,
  initializers,
  input,
  Layer,
  layers,
  model,
  registerKerasSerializable,
  Sequential,
  SymbolicTensor,
  sequential,
} from "../src/index.js";
import { thrown, values } from "./helpers.js";

tf.registerReferenceBackend();
beforeEach(() => tf.setRandomSeed(5));

describe("sequential", () => {
  test("is built at once where the input is known", () => {
    const net = sequential([
      layers.inputLayer({ inputShape: [28, 28, 1] }),
      layers.conv2d({ filters: 8, kernelSize: 3 }),
      layers.flatten(),
      layers.dense({ units: 10 }),
    ]);
    expect(net.built).toBe(true);
    expect(net.countParams()).toBe(80 + 26 * 26 * 8 * 10 + 10);
    expect(net.layers.length).toBe(3);
    net.pop();
    net.add(layers.dense({ units: 4 }));
    expect(net.predict(tf.zeros([2, 28, 28, 1])).shape).toEqual([2, 4]);
    expect(thrown(() => net.predict(tf.zeros([2, 28, 14, 2]) as Tensor)).message).toMatch(
      /needs size 28 on axis 2, got shape \[batch, 28, 14, 2\]/,
    );
  });

  test("a layer that does not fit is refused when it is added, and the model stays", () => {
    const net = sequential([layers.dense({ units: 4, inputShape: [3] })]);
    const error = thrown(() => net.add(layers.conv2d({ filters: 1, kernelSize: 1, name: "image" })));
    expect(error.message).toContain('layer "image" (Conv2D) needs an input of rank 4, got shape [batch, 4]');
    expect(net.layers.length).toBe(1);
    expect(thrown(() => net.add(layers.dense({ units: 1, name: net.layers[0]!.name }))).message).toContain(
      "two layers named",
    );
    expect(thrown(() => net.add(3 as never)).reason).toBe("sequential: add takes a layer, got 3");
  });

  test("predict cuts by batchSize and joins", () => {
    const net = sequential([layers.dense({ units: 2 })]);
    const x = tf.randomNormal([7, 3]);
    expect(values(net.predict(x, { batchSize: 3 }))).toEqual(values(net.predict(x)));
    expect(net.predict(tf.zeros([0, 3])).shape).toEqual([0, 2]);
  });

  test("works inside a tf.function, with a size that is not known there", () => {
    const net = sequential([
      layers.flatten(),
      layers.reshape({ targetShape: [3, -1] }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ]);
    net.buildFor([null, 2, 3]);
    const f = tf.fn((x: Tensor) => tf.sum(net.predict(x) as Tensor, -1) as Tensor);
    for (const n of [1, 2, 5, 7]) expect(f(tf.ones([n, 2, 3])).shape).toEqual([n]);
  });

  test("is made again from its configuration, as JSON holds it, with layers of one's own", () => {
    class Twice extends Layer {
      override call(x: Tensor): Tensor {
        return tf.mul(x, 2);
      }
    }
    registerKerasSerializable(Twice);
    const net = sequential({
      name: "saved",
      layers: [
        layers.inputLayer({ inputShape: [3] }),
        sequential([layers.dense({ units: 2, activation: "relu", kernelRegularizer: "l2" })]),
        new Twice(),
        layers.dense({ units: 1, kernelInitializer: initializers.heNormal({ seed: 1 }) }),
      ],
    });
    const again = deserializeLayer(JSON.parse(JSON.stringify({ className: "Sequential", config: net.getConfig() })));
    expect(again.getConfig()).toEqual(net.getConfig());
    again.setWeights(net.getWeights());
    const x = tf.randomNormal([4, 3]);
    expect(values(again.apply(x) as Tensor)).toEqual(values(net.predict(x)));
    expect(thrown(() => deserializeLayer({ className: "Dens", config: {} })).message).toContain(
      'did you mean "Dense"?',
    );
  });

  test("getLayer by name and place", () => {
    const net = sequential([layers.dense({ units: 2, name: "first" }), layers.dense({ units: 2, name: "second" })]);
    expect(net.getLayer("second")).toBe(net.getLayer(1));
    expect(thrown(() => net.getLayer("secund")).message).toContain('did you mean "second"?');
  });
});

describe("functional models", () => {
  test("a residual block, a shared layer, a nested model", () => {
    const x = input({ shape: [4] });
    const shared = layers.dense({ units: 4, name: "shared" });
    const inner = sequential([layers.dense({ units: 4, name: "inner" })]);
    const once = shared.apply(x);
    const y = layers.add().apply([x, shared.apply(once), inner.apply(once)]);
    const net = model({ inputs: x, outputs: y });
    expect(net.layers.filter((layer) => layer === shared).length).toBe(1);
    expect(net.countParams()).toBe(2 * 20);
    const data = tf.randomNormal([3, 4]);
    const first = shared.apply(data);
    const want = tf.add(tf.add(data, shared.apply(first)), inner.apply(first));
    expect(values(net.predict(data))).toEqual(values(want as Tensor));
  });

  test("part of a model's layers is a model of its own", () => {
    const x = input({ shape: [4] });
    const features = layers.dense({ units: 3 }).apply(x);
    const whole = model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(features) });
    const part = model({ inputs: x, outputs: features });
    expect(part.predict(tf.zeros([2, 4])).shape).toEqual([2, 3]);
    expect(part.weights[0]).toBe(whole.weights[0]);
  });

  test("an output that needs an unlisted input is refused", () => {
    const [a, b] = [input({ shape: [1] }), input({ shape: [1], name: "forgotten" })];
    expect(thrown(() => model({ inputs: a, outputs: layers.add().apply([a, b]) })).message).toContain(
      'the input "forgotten"',
    );
    expect(thrown(() => model({ inputs: a, outputs: tf.zeros([1]) as never })).message).toContain("symbolic tensors");
  });
});

test("the table of a summary", () => {
  const lines: string[] = [];
  const net = sequential({
    name: "digits",
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, name: "conv2d_of_summary", inputShape: [28, 28, 1] }),
      layers.maxPooling2d({ name: "pool" }),
      layers.batchNormalization({ name: "norm" }),
      layers.flatten({ name: "flat" }),
      layers.dense({ units: 10, name: "out" }),
    ],
  });
  net.summary({ printFn: (line) => lines.push(line) });
  expect(lines.join("\n")).toBe(`Model: "digits"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┓
┃ Layer (type)               ┃ Output Shape       ┃      Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━┩
│ conv2d_of_summary (Conv2D) │ [batch, 26, 26, 8] │           80 │
├────────────────────────────┼────────────────────┼──────────────┤
│ pool (MaxPooling2D)        │ [batch, 13, 13, 8] │            0 │
├────────────────────────────┼────────────────────┼──────────────┤
│ norm (BatchNormalization)  │ [batch, 13, 13, 8] │           32 │
├────────────────────────────┼────────────────────┼──────────────┤
│ flat (Flatten)             │ [batch, 1352]      │            0 │
├────────────────────────────┼────────────────────┼──────────────┤
│ out (Dense)                │ [batch, 10]        │       13,530 │
└────────────────────────────┴────────────────────┴──────────────┘
 Total params: 13,642 (53.29 KB)
 Trainable params: 13,626 (53.23 KB)
 Non-trainable params: 16 (64.00 B)`);
  const written: string[] = [];
  tf.setLogger({ info: (line) => void written.push(line) });
  net.summary();
  tf.setLogger();
  expect(written).toEqual(lines);
});

test("instances are of Keras's classes", () => {
  expect(sequential()).toBeInstanceOf(Sequential);
  expect(layers.dense({ units: 1 })).toBeInstanceOf(layers.Dense);
  expect(layers.dense({ units: 1 })).toBeInstanceOf(Layer);
  expect(input({ shape: [1] })).toBeInstanceOf(SymbolicTensor);
});
