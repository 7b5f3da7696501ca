// Files that name classes and functions which are not Millrace's own, or hold code, or options that are not built.
import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import {
  type activations,
  initializers,
  Layer,
  layers,
  loadModel,
  Model,
  optimizers,
  registerKerasSerializable,
  sequential,
  type Tensors,
} from "../src/index.js";
import { values } from "./helpers.js";
import { changed, dense, errorOf, x } from "./saved-files.js";

describe("classes and functions of one's own", () => {
  class Scale extends Layer {
    static override readonly className: string = "Scale";
    private factor: tf.Variable | null = null;
    private readonly start: number;
    constructor(config: { name?: string; start?: number } = {}) {
      const { start = 1, ...rest } = config;
      super(rest);
      this.start = start;
    }
    override build(): void {
      const initializer = initializers.constant({ value: this.start });
      this.factor = this.addWeight({ name: "factor", shape: [], initializer });
    }
    override call(inputs: Tensors): Tensor {
      return tf.mul(inputs as Tensor, this.factor!);
    }
    override getConfig(): Record<string, unknown> {
      return { ...super.getConfig(), start: this.start };
    }
  }
  /** Layers that are properties, alone and in a list. */
  class Block extends Layer {
    static override readonly className: string = "Block";
    private readonly head = layers.dense({ units: 3 });
    private readonly rest = [layers.dense({ units: 3 }), new Scale({ start: 3 })];
    override build(shape: readonly (number | null)[]): void {
      for (const layer of [this.head, ...this.rest]) layer.buildFor(shape);
    }
    override call(inputs: Tensors): Tensor {
      return [this.head, ...this.rest].reduce((y, layer) => layer.apply(y) as Tensor, inputs as Tensor);
    }
  }
  class Net extends Model {
    static override readonly className: string = "Net";
    private readonly block = new Block();
    private readonly out = layers.dense({ units: 2 });
    override call(inputs: Tensors): Tensor {
      return this.out.apply(this.block.apply(inputs as Tensor) as Tensor) as Tensor;
    }
  }

  test("are named where they are missing, and taken from customObjects by either name", async () => {
    const net = sequential([new Scale({ start: 2 }), layers.dense({ units: 2 })]);
    net.buildFor([null, 3]);
    const bytes = await net.toBytes();
    expect(await errorOf(loadModel(bytes))).toEqual({
      code: "E_VERSION",
      reason: expect.stringMatching(/needs the layer "Scale".*customObjects: \{ "Scale": … \}/),
    });
    const again = await loadModel(bytes, { customObjects: { Scale } });
    expect(values(again.predict(x) as Tensor)).toEqual(values(net.predict(x) as Tensor));
    const packaged = changed(bytes, (it) =>
      it.replace('"registered_name": "Scale"', '"registered_name": "mine>Scale"'),
    );
    expect((await loadModel(packaged, { customObjects: { "mine>Scale": Scale } })).countParams()).toBe(9);
    expect(await errorOf(loadModel(bytes, { customObjects: { Scale: 5 } }))).toEqual({
      code: "E_ARGUMENT",
      reason: expect.stringMatching(/customObjects: "Scale" must be a class/),
    });
    expect((await errorOf(loadModel(bytes, { customObjects: { Scale: Date } }))).code).toBe("E_ARGUMENT");
  });

  test("layers in layers, and models of one's own, are saved and come back", async () => {
    registerKerasSerializable(Net);
    registerKerasSerializable(Block);
    registerKerasSerializable(Scale);
    const net = new Net();
    net.predict(x);
    const bytes = await net.toBytes();
    const again = await loadModel(bytes);
    expect(again).toBeInstanceOf(Net);
    expect(values(again.predict(x) as Tensor)).toEqual(values(net.predict(x) as Tensor));
  });

  test("activations, losses, metrics, optimizers and initializers", async () => {
    const twice: activations.Activation = (it) => tf.mul(it, 2);
    const far = (t: Tensor, p: Tensor): Tensor => tf.mean(tf.abs(tf.sub(t, p)), -1);
    class Half extends initializers.Initializer {
      static readonly className: string = "Half";
      override apply(shape: readonly number[]): Tensor {
        return tf.fill(shape, 0.5);
      }
    }
    class Plain extends optimizers.Optimizer {
      static override readonly className: string = "Plain";
      constructor(config: optimizers.OptimizerConfig) {
        super({ name: "plain", ...config }, optimizers.sgdRule(0, false) as optimizers.OptimizerRule);
      }
    }
    const net = sequential([
      layers.dense({ units: 2, activation: twice, kernelInitializer: new Half(), inputShape: [3] }),
    ]);
    net.compile({ optimizer: new Plain({ learningRate: 0.25 }), loss: far, metrics: [far] });
    const bytes = await net.toBytes();
    for (const name of ["twice", "Half", "Plain", "far"]) {
      const { [name]: _, ...customObjects } = { twice, Half, Plain, far } as Record<string, unknown>;
      expect(["E_VERSION", "E_UNIMPLEMENTED"]).toContain((await errorOf(loadModel(bytes, { customObjects }))).code);
    }
    const again = await loadModel(bytes, { customObjects: { twice, Half, Plain, far } });
    const y = tf.zeros([2, 2]) as Tensor;
    expect(await again.trainOnBatch(x, y)).toEqual(await net.trainOnBatch(x, y));
    expect(again.weights[0]!.arraySync()).toEqual(net.weights[0]!.arraySync());
    const nameless = sequential([layers.dense({ units: 2, activation: (() => twice)().bind(null), inputShape: [3] })]);
    // boundary: the activation is the layer's own
    Object.defineProperty((nameless.layers[0] as unknown as { activation: object }).activation, "name", { value: "" });
    expect((await errorOf(nameless.toBytes())).code).toBe("E_ARGUMENT");
  });
});

describe("code in files is never run", () => {
  test("Lambda is refused, in safe mode whatever is given, without it unless a class takes its place", async () => {
    const net = sequential([layers.inputLayer({ inputShape: [3] }), layers.reLU({ name: "code" })]);
    const bytes = changed(await net.toBytes(), (it) => it.replace('"class_name": "ReLU"', '"class_name": "Lambda"'));
    for (const options of [{}, { safeMode: false }, { customObjects: { Lambda: layers.ReLU } }]) {
      expect(await errorOf(loadModel(bytes, options))).toEqual({
        code: "E_UNIMPLEMENTED",
        reason: expect.stringMatching(
          /Python code in a Lambda \("code"\), which is never run.*safeMode: false.*customObjects/,
        ),
      });
    }
    class Standin extends Layer {
      override call(inputs: Tensors): Tensor {
        return tf.neg(inputs as Tensor);
      }
      constructor({ name }: { name?: string } = {}) {
        super(name === undefined ? {} : { name });
      }
    }
    const loaded = await loadModel(bytes, { safeMode: false, customObjects: { Lambda: Standin } });
    expect(values(loaded.predict(x) as Tensor)).toEqual([-1, -2, -3, -4, -5, -6]);
  });

  test("a lambda in place of an activation, and modules that are not Keras's, are refused", async () => {
    const bytes = await sequential([layers.dense({ units: 2, activation: "relu", inputShape: [3] })]).toBytes();
    const lambda = changed(bytes, (it) =>
      it.replace('"relu"', '{"class_name": "__lambda__", "config": {"value": ["4wEA", null, null]}}'),
    );
    expect((await errorOf(loadModel(lambda))).reason).toMatch(/never run/);
    const os = changed(bytes, (it) =>
      it.replace('"module": "keras.layers", "class_name": "Dense"', '"module": "os", "class_name": "system"'),
    );
    expect((await errorOf(loadModel(os))).code).toBe("E_VERSION");
    for (const name of ["constructor", "__proto__", "toString"]) {
      const odd = changed(bytes, (it) => it.replace('"class_name": "Dense"', `"class_name": "${name}"`));
      expect([name, (await errorOf(loadModel(odd))).code]).toEqual([name, "E_UNIMPLEMENTED"]);
    }
  });
});

describe("what Keras has and Millrace has not is named", () => {
  test.each([
    [
      '"use_bias": true',
      '"use_bias": true, "kernel_constraint": {"class_name": "MaxNorm", "config": {}}',
      /Dense with kernel_constraint: /,
    ],
    ['"config": {"name": "float32"}', '"config": {"name": "mixed_float16"}', /layers of dtype "mixed_float16"/],
    ['"units": 2', '"units": 2, "rank": 4', /Dense with the option "rank"/],
    ['"activation": "linear"', '"activation": "sparsemax"', /activation "sparsemax" is not built here/],
  ])("%s", async (from, to, reason) => {
    const bytes = changed(await dense().toBytes(), (it) => {
      // The dtype of the layer, not of the model.
      const at = it.lastIndexOf(from);
      return it.slice(0, at) + to + it.slice(at + from.length);
    });
    expect(await errorOf(loadModel(bytes))).toEqual({ code: "E_UNIMPLEMENTED", reason: expect.stringMatching(reason) });
  });

  test("an optimizer that is not here can be left out", async () => {
    const net = dense();
    net.compile({ optimizer: "adam", loss: "mse" });
    const bytes = changed(await net.toBytes(), (it) => it.replace('"class_name": "Adam"', '"class_name": "Lion"'));
    expect((await errorOf(loadModel(bytes))).reason).toMatch(/optimizer "Lion" is not built here/);
    expect((await loadModel(bytes, { compile: false })).countParams()).toBe(8);
  });

  test("state of an optimizer that does not fit is left out, with a warning", async () => {
    const net = dense();
    net.compile({ optimizer: "adam", loss: "mse" });
    await net.trainOnBatch(x, tf.zeros([2, 2]) as Tensor);
    const bytes = changed(await net.toBytes(), (it) => it.replace('"amsgrad": false', '"amsgrad": true'));
    const warnings: string[] = [];
    tf.setLogger({ warn: (message) => warnings.push(message) });
    const again = await loadModel(bytes);
    tf.setLogger();
    expect(warnings).toEqual([expect.stringMatching(/^W_OPTIMIZER_STATE: /)]);
    expect(again.optimizer!.iterations.itemSync()).toBe(0);
  });
});
