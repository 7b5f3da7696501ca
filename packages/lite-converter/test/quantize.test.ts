// Dynamic-range quantisation: what is stored, how small it is, and that LiteRT computes what our own evaluation does.
import * as tf from "millrace";
import { type ConvertOptions, convert, readModel } from "../src/index.js";
import { arraysOf, inputsOf } from "./compare.js";
import { evaluate } from "./evaluate.js";
import { digits, randomize } from "./layer-cases.js";
import { LiteRT, python } from "./litert/litert.js";

const { input, layers, model, sequential } = tf;
const dynamic: ConvertOptions = { quantize: "dynamic" };

/** A function with constant filters as what `randomize` takes. */
const convolution = (size: readonly number[], f: (x: tf.Tensor) => unknown) => ({
  weights: [],
  toConcreteFunctions: () => [
    tf.nameFunction("serving_default", ({ x }) => f(x!) as tf.Tensor, { x: { shape: ["batch", ...size] } }),
  ],
});
const filters = (shape: readonly number[]): tf.Tensor => tf.randomUniform(shape, -1, 1, "float32", 5) as tf.Tensor;
const [depthwise, pointwise, sequence] = [filters([3, 3, 128, 1]), filters([1, 1, 40, 32]), filters([3, 16, 32])];

const nets: Readonly<Record<string, () => Parameters<typeof randomize>[0]>> = {
  "a depthwise convolution": () =>
    convolution([5, 6, 128], (x) => tf.relu(tf.depthwiseConv2d(x, depthwise as never, 1, "same"))),
  "a depthwise convolution stepped": () =>
    convolution([6, 6, 128], (x) => tf.depthwiseConv2d(x, depthwise as never, 2, "valid")),
  "a pointwise convolution": () => convolution([4, 3, 40], (x) => tf.conv2d(x, pointwise as never)),
  "a convolution of sequences": () => convolution([9, 16], (x) => tf.conv1d(x, sequence as never, 1, "same")),
  "the digits network": digits,
  "a wide product": () => sequential([layers.dense({ units: 40, inputShape: [64], activation: "relu" })]) as never,
  "products on sequences": () => sequential([layers.dense({ units: 64, inputShape: [3, 32] })]) as never,
  "a convolution padded and stepped": () =>
    sequential([
      layers.conv2d({
        filters: 48,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        inputShape: [9, 10, 8],
        activation: "relu6",
      }),
      layers.globalAveragePooling2d(),
    ]) as never,
  "an lstm": () => sequential([layers.lstm({ units: 32, inputShape: [4, 12] })]) as never,
  "an embedding": () => {
    const ids = input({ shape: [6], dtype: "int32", name: "ids" });
    const rows = layers.embedding({ inputDim: 90, outputDim: 16 }).apply(ids);
    return model({ inputs: ids, outputs: layers.dense({ units: 80, activation: "tanh" }).apply(rows) }) as never;
  },
};

/**
 * Where a quantised layer follows another one, sums that differ in their last bit may lie on both sides of a half, and so
 * round to two steps of the 256 that activations have: most runs agree to 1e-7, one with such a pair differs by a step.
 */
const severalLayers: ReadonlySet<string> = new Set(["the digits network", "an lstm"]);

(python ? describe : describe.skip)("LiteRT and our evaluation (needs npm run references)", () => {
  let litert: LiteRT;
  beforeAll(() => {
    litert = new LiteRT();
  });
  afterAll(() => litert.close());

  describe.each([true, false])("plain kernels: %s", (plain) => {
    test.each(Object.keys(nets))("%s", async (name) => {
      tf.setRandomSeed(11);
      const functions = name === "the digits network" ? digits().toConcreteFunctions() : randomize(nets[name]!());
      const { bytes } = await convert(functions, dynamic);
      for (const batch of [1, 5]) {
        const range = name === "an embedding" ? ([0, 89] as const) : ([-2, 3] as const);
        const inputs = arraysOf(inputsOf(functions[0]!, { name, functions: () => functions, range }, batch));
        const [wanted] = Object.values(evaluate(readModel(bytes), inputs, plain ? "plain" : "XNNPACK"));
        const { outputs } = await litert.run(bytes, inputs, { plain });
        const [got] = Object.values(outputs);
        expect(got!.shape).toEqual(wanted!.shape);
        let most = 0;
        got!.data.forEach((x: number | bigint, i: number) => {
          most = Math.max(most, Math.abs(Number(x) - wanted!.data[i]!) / Math.max(1, Math.abs(wanted!.data[i]!)));
        });
        expect(most).toBeLessThan(severalLayers.has(name) ? 5e-3 : 1e-5);
      }
    });
  });
});

test("the digits network is 3.9 times smaller", async () => {
  const [float, quantised] = [await convert(digits()), await convert(digits(), dynamic)];
  expect(float.bytes.byteLength / quantised.bytes.byteLength).toBeGreaterThan(3.9);
  expect(quantised.report.bytes.file).toBe(quantised.bytes.byteLength);
});

test("weights are symmetric, with a scale for each output, and off by half a step at most", async () => {
  const functions = randomize(sequential([layers.dense({ units: 40, inputShape: [64] })]) as never);
  const kernel = functions[0]!.weights.find((w) => w.name.endsWith("kernel"))!.value.dataSync();
  const { graphs } = readModel((await convert(functions, dynamic)).bytes);
  const stored = graphs[0]!.tensors.find((t) => t.type === "INT8")!;
  const { scales, zeroPoints, axis } = stored.quantization!;
  expect([scales.length, axis, new Set(zeroPoints)]).toEqual([40, 0, new Set([0])]);
  const q = new Int8Array(stored.data!.slice().buffer);
  for (let o = 0; o < 40; o++) {
    const row = Array.from(q.subarray(64 * o, 64 * (o + 1)));
    expect(Math.max(...row.map(Math.abs))).toBe(127);
    row.forEach((n, i) => {
      expect(Math.abs(n * scales[o]! - Number(kernel[i * 40 + o]))).toBeLessThanOrEqual(scales[o]! * 0.5001);
    });
  }
});

test("weights of zeros stay zeros", async () => {
  const zeros = layers.dense({ units: 40, inputShape: [64], kernelInitializer: "zeros" });
  const { graphs } = readModel((await convert(sequential([zeros]), dynamic)).bytes);
  const stored = graphs[0]!.tensors.find((t) => t.type === "INT8")!;
  expect(new Set(stored.data)).toEqual(new Set([0]));
  expect(new Set(stored.quantization!.scales)).toEqual(new Set([1]));
});
