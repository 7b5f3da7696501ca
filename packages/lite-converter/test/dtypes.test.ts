// Every op on every dtype: LiteRT agrees, or the conversion refuses; nothing that is converted fails in LiteRT.
import * as tf from "millrace";
import { convert } from "../src/index.js";
import { arraysOf, difference, inputsOf } from "./compare.js";
import { LiteRT, python } from "./litert/litert.js";

type Tensor = tf.Tensor;
type Op = (a: Tensor, b: Tensor) => unknown;

const first = tf.tensor([1, 0], undefined, "int32");
const unary: Readonly<Record<string, Op>> = {
  abs: (x) => tf.abs(x),
  argMax: (x) => tf.argMax(x, 1),
  broadcast: (x) => tf.reverse(tf.broadcastTo(tf.slice(x, [0, 0, 0], [-1, 1, -1]), [x.shape[0]!, 3, 4]) as Tensor, 2),
  "cast to bool": (x) => tf.cast(x, "bool"),
  "cast to float32": (x) => tf.cast(x, "float32"),
  "cast to int32": (x) => tf.cast(x, "int32"),
  "cast to int64": (x) => tf.cast(x, "int64"),
  "cast to uint8": (x) => tf.cast(x, "uint8"),
  clip: (x) => tf.clipByValue(x, 0, 1),
  concat: (x) => tf.concat([x, x] as never, 1),
  cumsum: (x) => tf.cumsum(x, 1),
  gather: (x) => tf.gather(x, first, 1),
  logicalNot: (x) => tf.logicalNot(x),
  max: (x) => tf.max(x, 1),
  mean: (x) => tf.mean(x, 1),
  neg: (x) => tf.neg(x),
  pad: (x) =>
    tf.pad(
      x,
      [
        [0, 0],
        [1, 1],
        [0, 0],
      ] as never,
      1,
    ),
  prod: (x) => tf.prod(x, 1),
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(x),
  reshape: (x) => tf.reshape(x, [-1, 12]),
  reverse: (x) => tf.reverse(x, 1),
  sign: (x) => tf.sign(x),
  slice: (x) => tf.slice(x, [0, 1, 0], [-1, 2, -1]),
  split: (x) => tf.split(x, 2, 2)[0],
  stack: (x) => tf.stack([x, x] as never, 1),
  sum: (x) => tf.sum(x, 1),
  tile: (x) => tf.tile(x, [1, 2, 1]),
  transpose: (x) => tf.transpose(x, [0, 2, 1]),
  unstack: (x) => tf.unstack(x, 1)[1],
};
const binary: Readonly<Record<string, Op>> = {
  add: (a, b) => tf.add(a, b),
  div: (a, b) => tf.div(a, b),
  equal: (a, b) => tf.equal(a, b),
  floorDiv: (a, b) => tf.floorDiv(a, b),
  greater: (a, b) => tf.greater(a, b),
  lessEqual: (a, b) => tf.lessEqual(a, b),
  logicalAnd: (a, b) => tf.logicalAnd(a, b),
  matMul: (a, b) => tf.matMul(a, b, false, true),
  maximum: (a, b) => tf.maximum(a, b),
  mod: (a, b) => tf.mod(a, b),
  mul: (a, b) => tf.mul(a, b),
  notEqual: (a, b) => tf.notEqual(a, b),
  pow: (a, b) => tf.pow(a, b),
  sub: (a, b) => tf.sub(a, b),
  where: (a, b) => tf.where(tf.equal(a, b) as Tensor, a, b),
};

/** What is not converted, by dtype; every other op of the lists above is. */
const refused: Readonly<Record<string, readonly string[]>> = {
  float32: [],
  int32: ["matMul"],
  int64: ["abs", "argMax", "floorDiv", "matMul", "pow", "sign"],
};

(python ? describe : describe.skip)("LiteRT on every dtype (needs npm run references)", () => {
  let litert: LiteRT;
  beforeAll(() => {
    litert = new LiteRT();
  });
  afterAll(() => litert.close());

  /** "agrees", "refused", or why neither; null where our own op takes no such dtype. */
  async function outcome(op: Op, dtype: tf.DType): Promise<string | null> {
    const spec = { shape: ["batch", 3, 4], dtype };
    let f: tf.NamedFunction;
    try {
      f = tf.nameFunction("serving_default", ({ a, b }) => op(a!, b!) as Tensor, { a: spec, b: spec });
    } catch {
      return null;
    }
    const inputs = inputsOf(f, { name: "", functions: () => [f], range: [1, 4] }, 2);
    const wanted = new tf.Executable([f]).run(inputs).output!;
    let bytes: Uint8Array;
    try {
      ({ bytes } = await convert([f]));
    } catch (error) {
      if (tf.isMillraceError(error, "E_UNIMPLEMENTED")) return "refused";
      throw error;
    }
    const { outputs } = await litert.run(bytes, arraysOf(inputs));
    return difference(outputs.output!, wanted) < 1e-5 ? "agrees" : "differs";
  }

  test.each(["float32", "int32", "int64", "uint8", "bool"] as const)("%s", async (dtype) => {
    const outcomes: [string, string][] = [];
    for (const [name, op] of Object.entries({ ...unary, ...binary })) {
      const found = await outcome(op, dtype);
      if (found !== null) outcomes.push([name, found]);
    }
    expect(outcomes.filter(([, found]) => found === "differs")).toEqual([]);
    expect(outcomes.filter(([, found]) => found === "agrees").length).toBeGreaterThan(15);
    const none = outcomes.filter(([, found]) => found === "refused").map(([name]) => name);
    if (refused[dtype]) expect(none.sort()).toEqual(refused[dtype]);
  });
});
