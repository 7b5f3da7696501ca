// What `convert` takes, refuses and reports.
import * as tf from "millrace";
import { convert, readModel } from "../src/index.js";
import { digits, randomize } from "./layer-cases.js";

const { layers, sequential } = tf;
const failure = async (promise: Promise<unknown>): Promise<tf.MillraceError> => {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!tf.isMillraceError(error)) throw error ?? new Error("it did not fail");
  return error;
};
const dense = () => sequential([layers.dense({ units: 2, inputShape: [3], name: "only" })]);

describe("what cannot be lowered", () => {
  test("is named at once, with its layers and reasons", async () => {
    const net = sequential([
      layers.dense({ units: 4, inputShape: [3], name: "first", activation: (x) => tf.erf(x) as tf.Tensor }),
      layers.dense({ units: 4, name: "second", activation: (x) => tf.cumprod(x, 1) as tf.Tensor }),
      layers.dense({ units: 4, name: "third", activation: (x) => tf.erf(x) as tf.Tensor }),
    ]);
    const error = await failure(convert(net as never));
    expect(error.code).toBe("E_UNIMPLEMENTED");
    expect(error.message).toMatch(
      /first, third: erf: TFLite has no operator for it\n {2}second: cumprod: TFLite has no/,
    );
    expect(error).toMatchObject({ op: "erf", layer: "first" });
  });

  test("float64, effects and control flow", async () => {
    const spec = { x: { shape: ["batch", 3], dtype: "float64" as const } };
    const double = tf.nameFunction("f", ({ x }) => tf.mul(x!, 2) as tf.Tensor, spec);
    expect((await failure(convert([double]))).message).toMatch(/mul: LiteRT has no kernels for float64/);
    const loop = tf.nameFunction(
      "f",
      ({ x }) =>
        tf.whileLoop(
          (y) => tf.less(tf.sum(y), 9),
          (y) => [tf.mul(y, 2)] as never,
          [x!],
        )[0]! as tf.Tensor,
      { x: { shape: [3] } },
    );
    expect((await failure(convert([loop]))).message).toMatch(/whileLoop: control flow is not built yet/);
  });

  test("effects, and results of which only the second is read", async () => {
    const spec = { x: { shape: [3] } };
    const print = ({ x }: Readonly<Record<string, tf.Tensor>>): tf.Tensor => {
      tf.print(x!);
      return tf.mul(x!, 2) as tf.Tensor;
    };
    const printing = tf.nameFunction("f", print, spec);
    expect((await failure(convert([printing]))).message).toMatch(/print: a model file has no effects/);
    const both = (x: tf.Tensor) =>
      tf.cond(
        tf.less(tf.sum(x), 9) as never,
        () => [x, tf.neg(x)],
        () => [x, x],
      ) as never;
    const second = tf.nameFunction("f", ({ x }) => both(x!)[1]! as tf.Tensor, spec);
    expect((await failure(convert([second]))).message).toMatch(/cond: control flow is not built yet/);
  });

  test("what is not built says so, and never falls back", async () => {
    for (const quantize of ["float16", "int8", "int16x8"] as const) {
      expect((await failure(convert(dense(), { quantize }))).message).toMatch(
        `quantize: "${quantize}" is not built yet`,
      );
    }
    expect((await failure(convert(dense(), { representativeDataset: [] }))).code).toBe("E_UNIMPLEMENTED");
    expect((await failure(convert(dense(), { ioTypes: { input: "int8" } }))).code).toBe("E_UNIMPLEMENTED");
  });

  test("mistaken arguments", async () => {
    const wrong = { quantise: "dynamic" } as never;
    expect((await failure(convert(dense(), wrong))).message).toMatch(
      /no option "quantise" \(did you mean "quantize"\?\)/,
    );
    const dynamics = { quantize: "dynamics" } as never;
    expect((await failure(convert(dense(), dynamics))).message).toMatch(/"dynamics" \(did you mean "dynamic"\?\)/);
    expect((await failure(convert([]))).code).toBe("E_ARGUMENT");
    const denied = convert(dense(), { quantize: "dynamic", denylist: ["onyl"] });
    expect((await failure(denied)).message).toMatch(/"onyl", which is no layer or operator \(did you mean "only"\?\)/);
    const { signal } = { signal: AbortSignal.abort(new Error("enough")) };
    await expect(convert(dense(), { signal })).rejects.toThrow("enough");
    const later = new AbortController();
    const conversion = convert(dense(), { signal: later.signal });
    later.abort(new Error("enough by now"));
    await expect(conversion).rejects.toThrow("enough by now");
  });
});

describe("the file", () => {
  test("has the signature, names and open sizes of the model", async () => {
    const net = sequential([layers.dense({ units: 2, inputShape: [3], name: "scores", activation: "softmax" })]);
    const { bytes } = await convert(net);
    const { graphs, signatures, minRuntimeVersion } = readModel(bytes);
    expect(signatures).toEqual([
      {
        name: "serving_default",
        graph: 0,
        inputs: [{ name: "input", tensor: graphs[0]!.inputs[0] }],
        outputs: [{ name: "output", tensor: graphs[0]!.outputs[0] }],
      },
    ]);
    const { tensors } = graphs[0]!;
    expect(tensors.map((t) => t.name)).toEqual(["input", "scores/kernel", "scores/fully_connected", "output"]);
    expect(tensors[0]).toMatchObject({ shape: [1, 3], shapeSignature: [-1, 3], type: "FLOAT32", data: null });
    expect(tensors[1]).toMatchObject({ shape: [2, 3], shapeSignature: null });
    expect(minRuntimeVersion).toBe("1.5.0");
  });

  test("has several functions, whose weights it stores once", async () => {
    const w = tf.variable(tf.randomUniform([64, 64], -1, 1, "float32", 5), { name: "w" });
    const x = { x: { shape: ["batch", 64] } };
    const once = tf.nameFunction("once", (i) => tf.matMul(i.x!, w) as tf.Tensor, x);
    const twice = tf.nameFunction("twice", (i) => tf.matMul(tf.matMul(i.x!, w) as tf.Tensor, w) as tf.Tensor, x);
    const { bytes, report } = await convert([once, twice]);
    expect(readModel(bytes).signatures.map((s) => [s.name, s.graph])).toEqual([
      ["once", 0],
      ["twice", 1],
    ]);
    expect(bytes.byteLength).toBeLessThan(64 * 64 * 4 + 2000);
    expect(report.operators).toEqual({ once: ["FULLY_CONNECTED"], twice: ["FULLY_CONNECTED", "FULLY_CONNECTED"] });
    expect(report.bytes.modelWeights).toBe(64 * 64 * 4);
  });

  test("has constants on 16 bytes, for whoever maps it", async () => {
    const { bytes } = await convert(digits());
    const views = readModel(bytes).graphs[0]!.tensors.flatMap((t) => t.data ?? []);
    expect(views.length).toBeGreaterThan(6);
    for (const view of views) expect((view.byteOffset - bytes.byteOffset) % 16).toBe(0);
  });

  test("of a saved graph is that of the model, but for names", async () => {
    const functions = randomize(digits());
    const saved = await tf.loadArtifact(await tf.artifactFiles(functions));
    const [direct, loaded] = [await convert(functions), await convert(saved)];
    expect(loaded.report.operators).toEqual(direct.report.operators);
    const shapes = (bytes: Uint8Array) => readModel(bytes).graphs[0]!.tensors.map(({ name: _, ...tensor }) => tensor);
    expect(shapes(loaded.bytes)).toEqual(shapes(direct.bytes));
    saved.dispose();
  });

  test("is the same bytes each time", async () => {
    const functions = randomize(digits());
    expect((await convert(functions)).bytes).toEqual((await convert(functions)).bytes);
  });
});

describe("the report", () => {
  test("says of each layer what became of it", async () => {
    const net = sequential([
      layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 2], name: "conv" }),
      layers.batchNormalization({ name: "norm" }),
      layers.activation({ activation: "relu", name: "relu" }),
      layers.flatten({ name: "flat" }),
      layers.dense({ units: 20, name: "dense" }),
      layers.dense({ units: 3, name: "scores" }),
    ]);
    const { report } = await convert(net, { quantize: "dynamic" });
    expect(report.layers).toEqual([
      { layer: "conv", outcome: "left float", operators: ["CONV_2D"], why: "72 weights are fewer than 1024" },
      { layer: "norm", outcome: "fused", operators: [], why: "part of the CONV_2D of conv" },
      { layer: "relu", outcome: "fused", operators: [], why: "part of the CONV_2D of conv" },
      { layer: "flat", outcome: "kept", operators: ["RESHAPE"], why: "by operators of its own" },
      { layer: "dense", outcome: "quantised", operators: ["FULLY_CONNECTED"], why: "2880 weights as int8, 20 scales" },
      { layer: "scores", outcome: "left float", operators: ["FULLY_CONNECTED"], why: "60 weights are fewer than 1024" },
    ]);
    const denied = await convert(net, { quantize: "dynamic", denylist: ["dense"] });
    expect(denied.report.layers[4]).toMatchObject({ outcome: "left float", why: "the denylist names dense" });
    const all = await convert(net, { quantize: "dynamic", denylist: ["FULLY_CONNECTED"] });
    expect(all.report.layers[4]!.why).toBe("the denylist names FULLY_CONNECTED");
    expect(all.bytes).toEqual((await convert(net)).bytes);
  });
});
