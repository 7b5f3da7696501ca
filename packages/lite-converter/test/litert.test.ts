// LiteRT opens what is converted, and computes what our own backend does.
import * as tf from "millrace";
import { convert } from "../src/index.js";
import { arraysOf, difference, inputsOf } from "./compare.js";
import { layerCases } from "./layer-cases.js";
import { LiteRT, python } from "./litert/litert.js";
import { opCases } from "./op-cases.js";

const withLiteRT = python ? describe : describe.skip;

withLiteRT("LiteRT agrees to 1e-5 (needs npm run references)", () => {
  let litert: LiteRT;
  beforeAll(() => {
    litert = new LiteRT();
  });
  afterAll(() => litert.close());

  test.each([...layerCases, ...opCases].map((c) => [c.name, c] as const))("%s", async (_name, c) => {
    const functions = c.functions();
    const executable = new tf.Executable(functions);
    const { bytes } = await convert(functions);
    for (const batch of [1, 5]) {
      const inputs = inputsOf(functions[0]!, c, batch);
      const wanted = executable.run(inputs);
      const { outputs } = await litert.run(bytes, arraysOf(inputs));
      expect(Object.keys(outputs).sort()).toEqual(Object.keys(wanted).sort());
      for (const [name, want] of Object.entries(wanted)) {
        expect(outputs[name]!.dtype).toBe(want.dtype);
        expect(difference(outputs[name]!, want)).toBeLessThan(1e-5);
      }
    }
  });
});
