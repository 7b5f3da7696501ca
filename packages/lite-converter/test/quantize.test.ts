// Dynamic-range quantisation: what is stored, how small it is, and that LiteRT computes what our own evaluation does.
import * as tf from "millrace";
import { type ConvertOptions, convert, readModel } from "../src/index.js";
import { arraysOf, inputsOf } from "./compare.js";
import { evaluate } from "./evaluate.js";
import { digits, randomize } from "./layer-cases.js";
import { LiteRT, python } from "./litert/litert.js";

const { input, layers, model, sequential } = tf;
const dynamic: ConvertOptions = { quantize: "dynamic" };

const nets: Readonly<Record<string, () => Parameters<typeof randomize>[0]>> = {
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

(python ? describe : describe.skip)("LiteRT and our evaluation (needs npm run references)", () => {
  let litert: LiteRT;
  beforeAll(() => {
    litert = new LiteRT();
  });
  afterAll(() => litert.close());

  describe.each([true, false])("plain kernels: %s", (plain) => {
    test.each(Object.keys(nets))("%s", async (name) => {
      const functions = name === "the digits network" ? digits().toConcreteFunctions() : randomize(nets[name]!());
      const { bytes } = await convert(functions, dynamic);
      for (const batch of [1, 5]) {
        const range = name === "an embedding" ? ([0, 89] as const) : ([-2, 3] as const);
        const inputs = arraysOf(inputsOf(functions[0]!, { name, functions: () => functions, range }, batch));
        const [wanted] = Object.values(evaluate(readModel(bytes), inputs, plain ? "away" : "even"));
        const { outputs } = await litert.run(bytes, inputs, { plain });
        const [got] = Object.values(outputs);
        expect(got!.shape).toEqual(wanted!.shape);
        let most = 0;
        got!.data.forEach((x: number | bigint, i: number) => {
          most = Math.max(most, Math.abs(Number(x) - wanted!.data[i]!) / Math.max(1, Math.abs(wanted!.data[i]!)));
        });
        console.log(name, plain, batch, most, bytes.length, (await convert(functions)).bytes.length / bytes.length);
        expect(most).toBeLessThan(1e-5);
      }
    });
  });
});
