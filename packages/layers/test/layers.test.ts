import type { Tensor, Variable } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { input, Layer, layers, type SymbolicTensor, sequential } from "../src/index.js";
import { thrown, values } from "./helpers.js";

tf.registerReferenceBackend();
beforeEach(() => tf.setRandomSeed(5));

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
    expect(error.reason).toBe('layer "head" (Dense) needs size 4 on axis -1, got shape [2, 5]');
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

describe("LSTM", () => {
  const options = { units: 3, returnSequences: true, inputShape: [null, 2] } as const;
  /** The same weights with other activations than the fused ones, which compute the same. */
  function stepByStep(weights: readonly Tensor[], more: object = {}): ReturnType<typeof sequential> {
    const activation = (x: Tensor): Tensor => tf.tanh(x);
    const model = sequential([
      layers.lstm({ ...options, ...more, inputShape: [5, 2], activation }),
    ]) as never as ReturnType<typeof sequential>;
    model.setWeights(weights as never);
    return model;
  }
  test.each([
    {},
    { goBackwards: true },
    { returnSequences: false },
    { goBackwards: true, returnSequences: false, useBias: false },
  ])("the fused recurrence and step by step are one, in value and gradient: %j", (more) => {
    const fused = sequential([layers.lstm({ ...options, ...more })]) as never as ReturnType<typeof sequential>;
    const other = stepByStep(fused.getWeights(), more);
    const x: Tensor = tf.randomNormal([4, 5, 2], 0, 1, "float32", 7);
    const [a, b] = [fused, other].map((model) => {
      const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(model.apply(x) as Tensor)) as Tensor);
      return [value, ...Object.values(grads)].map(values);
    });
    for (const [i, want] of b!.entries()) for (const [k, y] of want.entries()) expect(a![i]![k]).toBeCloseTo(y, 4);
  });
  test("one model takes sequences of any length, in a function too", () => {
    const model = sequential([layers.lstm(options)]) as never as ReturnType<typeof sequential>;
    const run = tf.fn((x: Tensor) => model.apply(x) as Tensor);
    const x: Tensor = tf.randomNormal([2, 6, 2], 0, 1, "float32", 8);
    const whole = values(run(x) as Tensor);
    const half = values(run(tf.slice(x, [0, 0, 0], [2, 3, 2]) as Tensor) as Tensor);
    for (const [i, y] of half.entries()) expect(whole[i < 9 ? i : i + 9]).toBeCloseTo(y, 6);
  });
});
