// Public functions: operands become tensors, dtypes meet, shapes are stretched, and bad arguments have stable errors.
import * as tf from "../src/index.js";

tf.registerReferenceBackend();

const values = (x: tf.Tensor): unknown => x.arraySync();
const code = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (error) {
    return tf.isMillraceError(error) ? error.code : `${error}`;
  }
  return undefined;
};
/** What a caller without types may pass. */
const untyped = (value: unknown): never => value as never;
/** Numbers as tf.array gives them, but near ones equal. */
const near = (wanted: readonly number[]): unknown[] =>
  wanted.map((x) => (Number.isFinite(x) ? expect.closeTo(x, 5) : x));

const int32 = (...xs: number[]): tf.Tensor => tf.tensor(xs, [xs.length], "int32");

describe("dtypes meet", () => {
  test("the higher of two dtypes wins", () => {
    expect(tf.add(int32(1), tf.tensor([0.5])).dtype).toBe("float32");
    expect(tf.add(tf.tensor([1], [1], "float64"), int32(1)).dtype).toBe("float64");
    expect(tf.mul(tf.tensor([2], [1], "uint8"), int32(-3)).dataSync()).toEqual(Int32Array.of(-6));
  });
  test("a plain number takes the tensor's dtype, float32 beside bool", () => {
    expect(tf.add(int32(1), 1).dtype).toBe("int32");
    expect(tf.mul(2, tf.tensor([1], [1], "float64")).dtype).toBe("float64");
    expect(tf.add(tf.tensor([true]), 1).dtype).toBe("float32");
  });
  test("a fraction beside integers is refused, never truncated", () => {
    expect(code(() => tf.add(int32(1), 0.5))).toBe("E_DTYPE");
    for (const fraction of [[0.5], [[1, 1.5]], Float32Array.of(0.5)] as const) {
      expect(code(() => tf.gather([1, 2, 3], untyped(fraction)))).toBe("E_DTYPE");
    }
    expect(code(() => tf.oneHot([0.5], 3))).toBe("E_DTYPE");
  });
  test("two integers divide to a float32; floorDiv and mod stay integers", () => {
    expect(tf.div(int32(7), int32(2)).dataSync()).toEqual(Float32Array.of(3.5));
    expect(tf.floorDiv(int32(-7), 2).dataSync()).toEqual(Int32Array.of(-4));
    expect(tf.mod(int32(-7), 2).dataSync()).toEqual(Int32Array.of(1));
  });
  test("functions on floats take integers as float32; rounding and relu keep them", () => {
    expect(tf.exp(int32(0)).dtype).toBe("float32");
    expect(tf.floor(int32(3)).dtype).toBe("int32");
    expect(tf.relu(int32(-3, 3)).dataSync()).toEqual(Int32Array.of(0, 3));
    expect(tf.mean(int32(1, 2)).dataSync()).toEqual(Float32Array.of(1.5));
  });
  test("bool counts in int32 where it is added up", () => {
    expect(tf.sum([true, true, false]).dataSync()).toEqual(Int32Array.of(2));
    expect(tf.cumsum([true, true, false]).dataSync()).toEqual(Int32Array.of(1, 2, 2));
    expect(tf.argMax([false, true]).itemSync()).toBe(1);
  });
  test("functions on truth values refuse numbers", () => {
    expect(code(() => tf.logicalAnd([1], [true]))).toBe("E_DTYPE");
    expect(code(() => tf.logicalNot([1]))).toBe("E_DTYPE");
    expect(code(() => tf.any([1]))).toBe("E_DTYPE");
    expect(code(() => tf.where([1], [1], [2]))).toBe("E_DTYPE");
  });
});

describe("shapes are stretched", () => {
  test("from the last axis, sizes 1 and missing axes repeat", () => {
    expect(values(tf.add([[1], [2]], [10, 20]))).toEqual([
      [11, 21],
      [12, 22],
    ]);
    expect(values(tf.maximum(2, [1, 3]))).toEqual([2, 3]);
    expect(tf.mul(tf.zeros([0, 3]), tf.ones([1, 3])).shape).toEqual([0, 3]);
  });
  test("where stretches all three", () => {
    expect(values(tf.where([[true], [false]], [1, 2], 0))).toEqual([
      [1, 2],
      [0, 0],
    ]);
    expect(values(tf.where(true, [1, 2], [3, 4]))).toEqual([1, 2]);
    expect(values(tf.where([true, false], [1, Number.NaN], [Number.NaN, 2]))).toEqual([1, 2]);
  });
  test("what does not stretch is E_SHAPE", () => {
    const [two, three] = [tf.zeros([2]) as tf.Tensor, tf.zeros([3]) as tf.Tensor];
    expect(code(() => tf.add(two, three))).toBe("E_SHAPE");
    expect(code(() => tf.where(tf.tensor([true]), two, three))).toBe("E_SHAPE");
    expect(code(() => tf.prelu(two, three))).toBe("E_SHAPE");
  });
});

describe("reductions", () => {
  const x = tf.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  test("take one axis, several, negative ones, or all", () => {
    expect(values(tf.sum(x))).toBe(21);
    expect(values(tf.sum(x, 0))).toEqual([5, 7, 9]);
    expect(values(tf.max(x, -1))).toEqual([3, 6]);
    expect(values(tf.min(x, [0, 1]))).toBe(1);
    expect(values(tf.prod(x, [1, -1]))).toEqual([6, 120]);
    expect(values(tf.mean(x, 1, true))).toEqual([[2], [5]]);
    expect(tf.sum(x, undefined, true).shape).toEqual([1, 1]);
  });
  test("of no axis there is nothing to reduce", () => {
    expect(values(tf.sum(x, []))).toEqual(values(x));
  });
  test("an axis out of range is E_ARGUMENT", () => {
    const any = x as tf.Tensor;
    for (const f of [tf.sum, tf.max, tf.mean, tf.logSumExp, tf.argMax, tf.cumsum] as ((
      x: tf.Tensor,
      a: number,
    ) => unknown)[]) {
      expect(code(() => f(any, 2))).toBe("E_ARGUMENT");
      expect(code(() => f(any, -3))).toBe("E_ARGUMENT");
      expect(code(() => f(any, 0.5))).toBe("E_ARGUMENT");
    }
  });
  test("moments", () => {
    const { mean, variance } = tf.moments(x, 1);
    expect(values(mean)).toEqual([2, 5]);
    expect(values(variance)).toEqual(near([2 / 3, 2 / 3]));
    expect(tf.moments(x, 0, true).variance.shape).toEqual([1, 3]);
  });
  test("norms of vectors", () => {
    const v = [3, -4, 0];
    expect(values(tf.norm(v))).toBe(5);
    expect(values(tf.norm(v, 1))).toBe(7);
    expect(values(tf.norm(v, 2, 0, true))).toEqual([5]);
    expect(values(tf.norm(v, Infinity))).toBe(4);
    expect(values(tf.norm(v, -Infinity))).toBe(0);
    expect(code(() => tf.norm(v, 3))).toBe("E_ARGUMENT");
  });
  test("norms of matrices", () => {
    const m = tf.tensor([
      [1, -2],
      [3, 4],
    ]);
    expect(values(tf.norm(m, 1, [0, 1]))).toBe(6);
    expect(values(tf.norm(m, Infinity, [0, 1]))).toBe(7);
    expect(values(tf.norm(m, -Infinity, [0, 1]))).toBe(3);
    expect(values(tf.norm(m, "fro", [0, 1]))).toEqual(expect.closeTo(Math.sqrt(30), 5));
    expect(values(tf.norm(m, 1, 0))).toEqual([4, 6]);
    expect(tf.norm(m, 1, [0, 1], true).shape).toEqual([1, 1]);
  });
});

describe("values that other libraries get wrong", () => {
  test("cumsum of ∞ stays ∞", () => expect(values(tf.cumsum([1, 2, Infinity]))).toEqual([1, 3, Infinity]));
  test("softplus of 100 is 100", () => expect(values(tf.softplus(100))).toBe(100));
  test("logSumExp of nothing but −∞ is −∞", () => expect(values(tf.logSumExp([-Infinity, -Infinity]))).toBe(-Infinity));
  test("relu, clipByValue, maximum and max pass NaN on", () => {
    for (const f of [
      tf.relu,
      tf.relu6,
      tf.max,
      (x: tf.Tensor) => tf.clipByValue(x, 0, 1),
      (x: tf.Tensor) => tf.maximum(0, x),
    ]) {
      expect([values(f(tf.tensor([Number.NaN]) as tf.Tensor))].flat()).toEqual([Number.NaN]);
    }
  });
});

describe("elementwise", () => {
  test("clipByValue, and bounds that contradict", () => {
    expect(values(tf.clipByValue([-1, 0.25, 2], 0, 1))).toEqual([0, 0.25, 1]);
    expect(values(tf.clipByValue(int32(-5, 5), -2, 2))).toEqual([-2, 2]);
    expect(code(() => tf.clipByValue([1], 1, 0))).toBe("E_ARGUMENT");
    expect(code(() => tf.clipByValue([1], Number.NaN, 0))).toBe("E_ARGUMENT");
  });
  test("isNaN, isInf, isFinite", () => {
    const x = [1, Number.NaN, Infinity, -Infinity];
    expect(values(tf.isNaN(x))).toEqual([false, true, false, false]);
    expect(values(tf.isInf(x))).toEqual([false, false, true, true]);
    expect(values(tf.isFinite(int32(1)))).toEqual([true]);
  });
  test("square, reciprocal, squaredDifference, addN", () => {
    expect(values(tf.square(int32(-3)))).toEqual([9]);
    expect(values(tf.reciprocal([2, 0]))).toEqual([0.5, Infinity]);
    expect(values(tf.squaredDifference([1, 5], 3))).toEqual([4, 4]);
    expect(values(tf.addN([tf.ones([2]), tf.ones([2]), tf.ones([2])]))).toEqual([3, 3]);
    expect(code(() => tf.addN([]))).toBe("E_ARGUMENT");
  });
  test("cast refuses a dtype that there is not", () => {
    expect(code(() => tf.cast([1], "float12" as "float32"))).toBe("E_DTYPE");
  });
});

describe("creation", () => {
  test("tensor takes a shape for flat values, and refuses one that does not fit", () => {
    expect(values(tf.tensor([1, 2, 3, 4], [2, 2]))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(values(tf.tensor(Int32Array.of(1, 2), [2, 1]))).toEqual([[1], [2]]);
    expect(tf.tensor([1.7, -1.7], [2], "int32").dataSync()).toEqual(Int32Array.of(1, -1));
    expect(code(() => tf.tensor([1, 2, 3], [2, 2]))).toBe("E_SHAPE");
    expect(code(() => tf.tensor([1], [-1] as [number]))).toBe("E_SHAPE");
    expect(code(() => tf.tensor([[1, 2], [3]] as number[][]))).toBe("E_SHAPE");
    expect(code(() => tf.tensor(untyped(tf.ones([1]))))).toBe("E_ARGUMENT");
  });
  test("ranks are checked", () => {
    expect(tf.scalar(3n).dtype).toBe("int64");
    expect(tf.tensor1d([1, 2], "int32").dtype).toBe("int32");
    expect(tf.tensor3d([1, 2], [1, 2, 1]).shape).toEqual([1, 2, 1]);
    expect(tf.tensor4d([[[[1]]]]).shape).toEqual([1, 1, 1, 1]);
    expect(code(() => tf.tensor2d(untyped([1, 2])))).toBe("E_SHAPE");
    expect(code(() => tf.scalar(untyped([1])))).toBe("E_SHAPE");
  });
  test("zeros, ones, fill and their likes", () => {
    expect(values(tf.zeros([2, 0]))).toEqual([[], []]);
    expect(tf.ones([2], "bool").dataSync()).toEqual(Uint8Array.of(1, 1));
    expect(tf.fill([2], 7n, "int64").dataSync()).toEqual(BigInt64Array.of(7n, 7n));
    expect(tf.zerosLike(int32(1, 2)).dataSync()).toEqual(Int32Array.of(0, 0));
    expect(values(tf.onesLike([[1, 2]]))).toEqual([[1, 1]]);
    expect(code(() => tf.zeros(untyped([-1])))).toBe("E_SHAPE");
    expect(code(() => tf.zeros(untyped([1.5])))).toBe("E_SHAPE");
  });
  test("range and linspace", () => {
    expect(values(tf.range(0, 1, 0.25))).toEqual([0, 0.25, 0.5, 0.75]);
    expect(values(tf.range(5, 0, -2, "int32"))).toEqual([5, 3, 1]);
    expect(values(tf.range(3, 0, -1, "uint8"))).toEqual([3, 2, 1]);
    expect(values(tf.range(1, 0))).toEqual([]);
    expect(code(() => tf.range(0, 1, 0))).toBe("E_ARGUMENT");
    expect(code(() => tf.range(0, Infinity))).toBe("E_ARGUMENT");
    expect(values(tf.linspace(1, 2, 3))).toEqual([1, 1.5, 2]);
    expect(tf.linspace(0, 0.7, 8).dataSync().at(-1)).toBe(Math.fround(0.7));
    expect(values(tf.linspace(4, 9, 1))).toEqual([4]);
    expect(code(() => tf.linspace(0, 1, 0))).toBe("E_ARGUMENT");
  });
  test("eye and oneHot", () => {
    expect(values(tf.eye(2, 3))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(tf.eye(2, 2, [3]).shape).toEqual([3, 2, 2]);
    expect(tf.eye(1, 1, [], "bool").dtype).toBe("bool");
    expect(values(tf.oneHot([2, -1, 3], 3))).toEqual([
      [0, 0, 1],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(tf.oneHot([[0], [1]], 2).shape).toEqual([2, 1, 2]);
    expect(values(tf.oneHot([0], 2, 5, -1, "float32"))).toEqual([[5, -1]]);
    expect(code(() => tf.oneHot(tf.tensor([0.5]) as tf.Tensor, 2))).toBe("E_DTYPE");
  });
});

test("what is no function, axis or device is refused by name", async () => {
  expect(code(() => tf.fn(untyped(3)))).toBe("E_ARGUMENT");
  expect(code(() => tf.device("reference:0", untyped(undefined)))).toBe("E_ARGUMENT");
  expect(code(() => tf.sum([1], untyped({ axis: 0 })))).toBe("E_ARGUMENT");
  await expect(tf.sync("abacus:0")).rejects.toMatchObject({ code: "E_DEVICE" });
});

test("a position of TensorFlow.js that is not built says so, and one that means nothing here is taken", () => {
  expect(code(() => tf.gather([[1]], [[0]], 1, untyped(1)))).toBe("E_UNIMPLEMENTED");
  expect(tf.gather([1, 2], [1], 0, 0).arraySync()).toEqual([2]);
  const lines: string[] = [];
  tf.setLogger({ info: (line) => lines.push(line) });
  tf.print(tf.scalar(1), true);
  tf.setLogger();
  expect(lines).toEqual(["tensor float32[] 1"]);
});

test("what is no shape is refused by name", () => {
  expect(code(() => tf.zeros(untyped(3)))).toBe("E_ARGUMENT");
  expect(code(() => tf.tensor([1], untyped(1)))).toBe("E_ARGUMENT");
  expect(code(() => tf.poly([["B"]], (x) => x)(untyped([1])))).toBe("E_ARGUMENT");
});
