// Which operators a conversion makes: fused as LiteRT likes them, and those of TensorFlow's own converter.
import { existsSync, readFileSync } from "node:fs";
import * as tf from "millrace";
import { convert, type LiteModel, readModel } from "../src/index.js";
import { digits, layerCases } from "./layer-cases.js";

const { layers, sequential } = tf;
const goldens = new URL("../../../../shared/goldens/", import.meta.url);
const withGoldens = existsSync(goldens) ? describe : describe.skip;

const operatorsOf = async (source: Parameters<typeof convert>[0], options = {}): Promise<readonly string[]> => {
  const { bytes } = await convert(source, options);
  return readModel(bytes).graphs[0]!.operators.map((o) => o.operator);
};

describe("operators", () => {
  test("the digits network has one operator a layer, its activations inside", async () => {
    const cnn = ["CONV_2D", "MAX_POOL_2D", "CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED"];
    expect(await operatorsOf(digits())).toEqual([...cnn, "SOFTMAX"]);
    expect(await operatorsOf(digits(), { quantize: "dynamic" })).toEqual([...cnn, "SOFTMAX"]);
    const { graphs } = readModel((await convert(digits())).bytes);
    const activations = graphs[0]!.operators.flatMap(({ options }) =>
      options && "fusedActivationFunction" in options.values ? options.values.fusedActivationFunction! : [],
    );
    expect(activations).toEqual(["RELU", "NONE", "RELU", "NONE", "RELU", "NONE"]);
  });

  const expected: Readonly<Record<string, readonly string[]>> = {
    "dense relu6": ["FULLY_CONNECTED"],
    "dense hard_silu": ["FULLY_CONNECTED", "HARD_SWISH"],
    "dense hard_sigmoid": ["FULLY_CONNECTED", "DIV"],
    "dense tanh": ["FULLY_CONNECTED", "TANH"],
    "dense gelu": ["FULLY_CONNECTED", "GELU"],
    "dense elu": ["FULLY_CONNECTED", "ELU"],
    "dense leaky_relu": ["FULLY_CONNECTED", "LEAKY_RELU"],
    "dense silu": ["FULLY_CONNECTED", "LOGISTIC", "MUL"],
    "dense on sequences": ["FULLY_CONNECTED"],
    "activation log_softmax": ["LOG_SOFTMAX"],
    "batch normalization": ["MUL", "ADD"],
    "relu to 6": ["RELU6"],
    "relu to 1": ["RELU_0_TO_1"],
    "softmax of an inner axis": ["TRANSPOSE", "SOFTMAX", "TRANSPOSE"],
    "average pooling same": ["AVERAGE_POOL_2D"],
    "average pooling same on open sizes": ["AVERAGE_POOL_2D"],
    "global average pooling": ["MEAN"],
    "global average pooling, axes kept": ["MEAN"],
    "layer normalization": ["MEAN", "SUB", "MUL", "MEAN", "ADD", "RSQRT", "MUL", "MUL", "ADD"],
    embedding: ["GATHER"],
    "embedding of float ids": ["CAST", "GATHER"],
    "a merge that broadcasts": ["MUL"],
    "concatenate of three": ["CONCATENATION"],
    "convolution, normalization, relu": ["CONV_2D", "CONV_2D", "MUL", "ADD", "MEAN", "FULLY_CONNECTED"],
  };
  test.each(Object.entries(expected))("%s", async (name, operators) => {
    const found = layerCases.find((c) => c.name === name);
    expect(await operatorsOf(found!.functions())).toEqual(operators);
  });

  test("nothing is transposed but where another axis is asked for", async () => {
    for (const { name, functions } of layerCases) {
      if (name === "softmax of an inner axis") continue;
      expect([name, (await operatorsOf(functions())).includes("TRANSPOSE")]).toEqual([name, false]);
    }
  });

  test("a step of an lstm is one product, one split and what its gates compute", async () => {
    const operators = await operatorsOf(sequential([layers.lstm({ units: 4, inputShape: [2, 3] })]));
    const gates = ["SPLIT", "LOGISTIC", "TANH", "MUL", "LOGISTIC", "TANH", "MUL"];
    expect(operators.slice(0, 2)).toEqual(["FULLY_CONNECTED", "UNPACK"]);
    expect(operators.filter((o) => o === "FULLY_CONNECTED")).toHaveLength(2);
    expect(operators.filter((o) => o === "SPLIT")).toHaveLength(2);
    expect(operators.some((o) => o === "SLICE" || o === "RESHAPE")).toBe(false);
    expect(new Set(operators.slice(2))).toEqual(new Set([...gates, "FULLY_CONNECTED", "ADD"]));
  });
});

/** Operators with versions and fused activations. */
function summary({ graphs }: LiteModel): readonly string[] {
  return graphs[0]!.operators.map(({ operator, version, options }) => {
    const fused = options && "fusedActivationFunction" in options.values ? options.values.fusedActivationFunction : "";
    return `${operator} ${version} ${fused}`;
  });
}

withGoldens("as TensorFlow's converter (needs ../shared/goldens)", () => {
  const golden = (name: string): LiteModel => readModel(readFileSync(new URL(`${name}.tflite`, goldens)));
  const mlp = () =>
    sequential([
      layers.dense({ units: 64, activation: "relu", inputShape: [20] }),
      layers.dense({ units: 32, activation: "tanh" }),
      layers.dense({ units: 4, activation: "softmax" }),
    ]);

  test("a perceptron", async () => {
    expect(summary(readModel((await convert(mlp())).bytes))).toEqual(summary(golden("mlp_fp32")));
  });

  test("a perceptron, quantised", async () => {
    const { bytes } = await convert(mlp(), { quantize: "dynamic" });
    const [ours, theirs] = [readModel(bytes), golden("mlp_dynamic")];
    expect(summary(ours)).toEqual(summary(theirs));
    expect(ours.minRuntimeVersion).toBe(theirs.minRuntimeVersion);
    const types = ({ graphs }: LiteModel): string[] => graphs[0]!.tensors.map((t) => t.type).sort();
    expect(types(ours).filter((t) => t === "INT8")).toEqual(types(theirs).filter((t) => t === "INT8"));
  });

  test("a convolutional network with normalization and depthwise convolutions", async () => {
    const weights = (shape: readonly number[]): tf.Tensor => tf.randomUniform(shape, -1, 1, "float32", 3) as tf.Tensor;
    const [first, depth, separate, point, last] = [
      [3, 3, 3, 8],
      [3, 3, 8, 1],
      [3, 3, 8, 1],
      [1, 1, 8, 12],
      [192, 10],
    ].map(weights) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const [mean, gain, bias8, bias12, bias10] = [[8], [8], [8], [12], [10]].map(weights) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const network = tf.nameFunction(
      "serving_default",
      ({ z }) => {
        const conv = tf.conv2d(z!, first, 1, "same") as tf.Tensor;
        const normal = tf.relu(tf.add(tf.mul(tf.sub(conv, mean), gain), bias8));
        const pooled = tf.maxPool(normal as tf.Tensor, 2);
        const deep = tf.relu6(tf.add(tf.depthwiseConv2d(pooled, depth, 1, "same") as tf.Tensor, bias8));
        const apart = tf.separableConv2d(deep as tf.Tensor, separate, point, 2, "same") as tf.Tensor;
        const soft = tf.silu(tf.add(apart, bias12)) as tf.Tensor;
        const flat = tf.reshape(soft, [-1, 192]) as tf.Tensor;
        return { output_0: tf.softmax(tf.add(tf.matMul(flat, last), bias10) as tf.Tensor) };
      },
      { z: { shape: ["batch", 16, 16, 3] } },
    );
    expect(summary(readModel((await convert([network])).bytes))).toEqual(summary(golden("cnn_bn_fp32")));
  });
});

test("every layer stands among the cases", () => {
  const cases = readFileSync(new URL("layer-cases.ts", import.meta.url), "utf8");
  const missing = Object.keys(layers).filter((name) => /^[a-z]/.test(name) && !new RegExp(`\\b${name}\\b`).test(cases));
  // The first computes nothing: `input` makes one. The second is the table of all classes.
  expect(missing).toEqual(["inputLayer", "layerClasses"]);
});
