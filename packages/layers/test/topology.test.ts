import type { MillraceError, Tensor, Variable } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { input, Layer, layers, model, Sequential, SymbolicTensor, sequential } from "../src/index.js";

tf.registerReferenceBackend();
beforeEach(() => tf.setRandomSeed(5));

const values = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);
const thrown = (f: () => unknown): MillraceError => {
  try {
    f();
  } catch (error) {
    if (tf.isMillraceError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("layers", () => {
  test("weights are made once, for the first input", () => {
    const dense = layers.dense({ units: 3 });
    expect(dense.built).toBe(false);
    dense.apply(tf.zeros([2, 4]));
    const [kernel] = dense.weights;
    dense.apply(tf.zeros([5, 4]));
    expect(dense.weights[0]).toBe(kernel);
    expect(dense.weights.map((w) => w.shape)).toEqual([[4, 3], [3]]);
    expect(dense.countParams()).toBe(15);
  });

  test("an input that does not fit is refused with the layer's name", () => {
    const dense = layers.dense({ units: 3, name: "head" });
    dense.apply(tf.zeros([2, 4]));
    const error = thrown(() => dense.apply(tf.zeros([2, 5]) as Tensor));
    expect(error.code).toBe("E_SHAPE");
    expect(error.message).toBe('layer "head" (Dense) needs size 4 on axis -1, got shape [2, 5]');
    expect(error.layer).toBe("head");
  });

  test("an error inside names the path of layers, an op's error too", () => {
    class Broken extends Layer {
      override call(x: Tensor): Tensor {
        return tf.matMul(x, tf.zeros([9, 9]) as Tensor);
      }
    }
    const inner = sequential({ name: "inner", layers: [new Broken({ name: "broken" })] });
    const net = sequential({ name: "outer", layers: [layers.dense({ units: 3 }), inner] });
    const error = thrown(() => net.apply(tf.zeros([2, 4]) as Tensor));
    expect(error.op).toBe("matMul");
    expect(error.layer).toBe("outer/inner/broken");
  });

  test("automatic names are Keras's", () => {
    const names = [
      layers.maxPooling2d(),
      layers.dense({ units: 1 }),
      layers.reLU(),
      layers.conv2d({ filters: 1, kernelSize: 1 }),
      layers.batchNormalization(),
    ];
    expect(names.map((layer) => layer.name.replace(/_\d+$/, ""))).toEqual([
      "max_pooling2d",
      "dense",
      "re_lu",
      "conv2d",
      "batch_normalization",
    ]);
    const [a, b] = [layers.flatten(), layers.flatten()];
    expect(a.name).not.toBe(b.name);
  });

  test("weights are read and written in order; a wrong one changes none", () => {
    const dense = layers.dense({ units: 2 });
    dense.apply(tf.zeros([1, 2]));
    dense.setWeights([
      [
        [1, 2],
        [3, 4],
      ],
      tf.tensor([5, 6]),
    ]);
    const before = dense.getWeights();
    expect(before.map((w) => w.arraySync())).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [5, 6],
    ]);
    const error = thrown(() => dense.setWeights([tf.zeros([2, 2]), tf.zeros([3])]));
    expect(error.message).toMatch(/is float32\[2\], got float32\[3\]/);
    expect(values(dense.weights[0]!)).toEqual([1, 2, 3, 4]);
    dense.setWeights([Float32Array.of(0, 0, 0, 0), [1, 1]]);
    expect(before[0]!.arraySync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(thrown(() => dense.setWeights([])).code).toBe("E_ARGUMENT");
  });

  test("a layer of one's own has weights, sublayers and a training phase", () => {
    class Block extends Layer {
      readonly inner: Layer = layers.dense({ units: 2, useBias: false });
      factor: Variable | null = null;
      seen: unknown[] = [];
      override build(): void {
        this.factor = this.addWeight({ name: "factor", shape: [], initializer: "ones" });
      }
      override call(x: Tensor, { training }: { training?: boolean }): Tensor {
        this.seen.push(training);
        return tf.mul(this.inner.apply(x), this.factor!);
      }
    }
    const block = new Block();
    block.apply(tf.zeros([1, 3]));
    block.apply(tf.zeros([1, 3]), { training: true });
    expect(block.seen).toEqual([false, true]);
    expect(block.weights.map((w) => w.shape)).toEqual([[], [3, 2]]);
    expect(block.className).toBe("Block");
    block.trainable = false;
    expect(block.trainableWeights).toEqual([]);
    expect(block.inner.trainable).toBe(false);
  });

  test("float inputs are cast to the layer's dtype", () => {
    expect(layers.dense({ units: 1 }).apply(tf.zeros([1, 2], "float64")).dtype).toBe("float32");
    const wide = layers.dense({ units: 1, dtype: "float64" });
    expect(wide.apply(tf.zeros([1, 2])).dtype).toBe("float64");
    expect(wide.weights[0]!.dtype).toBe("float64");
    expect(layers.flatten().apply(tf.zeros([1, 2], "int32")).dtype).toBe("int32");
  });

  test("dropout acts in training alone, and keeps the mean", () => {
    const x = tf.ones([100, 100]);
    const dropout = layers.dropout({ rate: 0.25 });
    expect(values(dropout.apply(x))).toEqual(values(x));
    const y = values(dropout.apply(x, { training: true }));
    expect(new Set(y.map((v) => v.toFixed(4)))).toEqual(new Set(["0.0000", "1.3333"]));
    const mean = y.reduce((a, b) => a + b, 0) / y.length;
    expect(Math.abs(mean - 1)).toBeLessThan(0.02); // four deviations of the mean of 10,000
  });

  test("dropout draws anew in every step of one traced function", () => {
    const dropout = layers.dropout({ rate: 0.5 });
    tf.randomUniform([1]);
    const f = tf.fn((x: Tensor) => dropout.apply(x, { training: true }) as Tensor);
    const x = tf.ones([64]) as Tensor;
    expect(values(f(x))).not.toEqual(values(f(x)));
  });

  test("a frozen batchNormalization uses what it has gathered", () => {
    const norm = layers.batchNormalization();
    norm.apply(tf.zeros([2, 1]));
    norm.trainable = false;
    const y = norm.apply(tf.tensor([[1], [3]]), { training: true });
    expect(values(y)[1]).toBeCloseTo(3 / Math.sqrt(1.001), 5);
    expect(values(norm.weights[2]!)).toEqual([0]);
  });

  test.each([
    [
      "unknown option",
      () => layers.dense({ units: 1, activaton: "relu" } as never),
      'Dense: there is no option "activaton" (did you mean "activation"?)',
    ],
    ["missing option", () => layers.dense({} as never), 'Dense: the option "units" is missing'],
    ["no whole number", () => layers.dense({ units: 1.5 }), "Dense: units must be a whole number from 1, got 1.5"],
    [
      "unknown activation",
      () => layers.dense({ units: 1, activation: "rellu" }),
      '"rellu" is no activation (did you mean "relu"?)',
    ],
    [
      "unknown initializer",
      () => layers.dense({ units: 1, kernelInitializer: "glorot" }).apply(tf.zeros([1, 1])),
      '"glorot" is no initializer',
    ],
    ["rate of 1", () => layers.dropout({ rate: 1 }), "Dropout: rate must be a number from 0"],
    [
      "channels first",
      () => layers.conv2d({ filters: 1, kernelSize: 1, dataFormat: "channelsFirst" }),
      "dataFormat must be",
    ],
    ["a list for one", () => (layers.dense({ units: 1 }) as Layer).apply([tf.zeros([1, 1])]), "needs one tensor"],
    ["one for a list", () => (layers.add() as Layer).apply(tf.zeros([1])), "Add: takes a list of at least 2 tensors"],
    ["neither", () => (layers.flatten() as Layer).apply(3 as never), "takes tensors, or symbolic tensors"],
  ])("refuses: %s", (_, f, message) => {
    expect(thrown(f).message).toContain(message);
  });

  test("all spellings of a name are one", () => {
    for (const spelling of ["leakyRelu", "leaky_relu", "LeakyReLU"]) {
      const y = layers.activation({ activation: spelling }).apply(tf.tensor([[-1, 1]]));
      expect(values(y)[0]).toBeCloseTo(-0.2, 6);
    }
  });

  test("a disposed layer says so", () => {
    const dense = layers.dense({ units: 1 });
    dense.apply(tf.zeros([1, 1]));
    dense.dispose();
    expect(thrown(() => dense.apply(tf.zeros([1, 1]))).code).toBe("E_DISPOSED");
  });

  test("a layer is made again from its configuration", () => {
    const conv = layers.conv2d({
      filters: 2,
      kernelSize: [3, 2],
      activation: "relu",
      padding: "same",
      name: "again",
      kernelInitializer: { className: "HeNormal", config: { seed: 3 } },
    });
    const made = layers.Conv2D.fromConfig(conv.getConfig());
    expect(made.getConfig()).toEqual(conv.getConfig());
    const x = tf.ones([1, 4, 4, 1]);
    expect(values(made.apply(x) as Tensor)).toEqual(values(conv.apply(x)));
    for (const [name, made] of Object.entries(layers.layerClasses))
      expect((made as unknown as { className: string }).className).toBe(name); // boundary: a static of the class
  });
});

describe("merging", () => {
  const [a, b] = [tf.tensor([[1, 5]]), tf.tensor([[4, 2]])];
  test.each([
    ["add", [5, 7]],
    ["subtract", [-3, 3]],
    ["multiply", [4, 10]],
    ["average", [2.5, 3.5]],
    ["maximum", [4, 5]],
    ["minimum", [1, 2]],
    ["concatenate", [1, 5, 4, 2]],
  ] as const)("%s", (name, want) => {
    const layer: Layer = layers[name]();
    expect(values(layer.apply([a, b]) as Tensor)).toEqual(want);
    expect((layer.apply([input({ shape: [2] }), input({ shape: [2] })]) as SymbolicTensor).shape).toEqual([
      null,
      want.length,
    ]);
  });
  test("shapes broadcast, or are refused", () => {
    const layer = layers.add();
    expect(
      layer.computeOutputShape([
        [null, 3, 1],
        [null, 1, 4],
      ]),
    ).toEqual([null, 3, 4]);
    expect(
      thrown(() =>
        layer.computeOutputShape([
          [null, 3],
          [null, 4],
        ]),
      ).message,
    ).toContain("[batch, 3], [batch, 4] do not broadcast (3 vs 4)");
    expect(
      thrown(() =>
        layers.concatenate({ axis: 1 }).computeOutputShape([
          [null, 3, 1],
          [null, 3, 2],
        ]),
      ).code,
    ).toBe("E_SHAPE");
  });
});

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
    expect(thrown(() => net.add(3 as never)).message).toBe("sequential: add takes a layer, got 3");
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
