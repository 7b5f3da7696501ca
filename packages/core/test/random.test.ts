import * as tf from "../src/index.js";
import { philox } from "../src/ops/random/philox.js";
import { hostState, randomState, variableState } from "../src/ops/random/state.js";

tf.registerReferenceBackend();

const hex = (words: readonly number[]): string[] => words.map((w) => (w >>> 0).toString(16).padStart(8, "0"));
const values = (x: tf.Tensor): number[] => Array.from(x.dataSync() as Float32Array);

/** Runs with a generator of its own. */
function withState<T>(state: typeof randomState.current, run: () => T): T {
  const before = randomState.current;
  randomState.current = state;
  try {
    return run();
  } finally {
    randomState.current = before;
  }
}

test("Philox gives the known answers of Random123", () => {
  expect(hex(philox([0, 0, 0, 0], [0, 0]))).toEqual(["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
  expect(hex(philox([-1, -1, -1, -1], [-1, -1]))).toEqual(["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]);
  const pi = philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]);
  expect(hex(pi)).toEqual(["d16cfe09", "94fdcceb", "5001e420", "24126ea1"]);
});

describe("distributions", () => {
  const count = 20000;
  /** Mean and variance of many draws, each within five standard errors of what it should be. */
  function expectMoments(x: tf.Tensor, mean: number, variance: number, kurtosis: number): void {
    const data = values(x);
    const m = data.reduce((s, v) => s + v, 0) / data.length;
    const v = data.reduce((s, e) => s + (e - mean) ** 2, 0) / data.length;
    expect(Math.abs(m - mean)).toBeLessThan(5 * Math.sqrt(variance / data.length));
    expect(Math.abs(v - variance)).toBeLessThan(5 * variance * Math.sqrt((kurtosis - 1) / data.length));
  }

  test.each(["float32", "float64"] as const)("uniform, %s", (dtype) => {
    const x = tf.randomUniform([count], -1, 3, dtype, 1);
    expect(x.dtype).toBe(dtype);
    expectMoments(x, 1, 16 / 12, 9 / 5);
    expect(Math.min(...values(x))).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values(x))).toBeLessThan(3);
  });
  test.each(["float32", "float64"] as const)("normal, %s", (dtype) => {
    expectMoments(tf.randomNormal([count], 5, 2, dtype, 2), 5, 4, 3);
    expectMoments(tf.randomStandardNormal([count], dtype, 3), 0, 1, 3);
  });
  test.each(["float32", "float64"] as const)("truncated normal, %s", (dtype) => {
    const x = tf.truncatedNormal([count], 1, 3, dtype, 4);
    // The variance of a standard normal number within ±2 is 1 − 4 φ(2) / (2 Φ(2) − 1).
    expectMoments(x, 1, 9 * 0.7737413, 2.4);
    expect(Math.max(...values(x).map((v) => Math.abs(v - 1)))).toBeLessThanOrEqual(6);
  });
  test("whole numbers: each about as often, the end never", () => {
    const x = tf.randomUniformInt([6000], -2, 4, 5);
    expect(x.dtype).toBe("int32");
    const counts = new Map<number, number>();
    for (const v of values(x)) counts.set(v, (counts.get(v) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(5 * Math.sqrt(1000));
    expect(tf.randomUniform([2], 0, 10, "int32", 5).dtype).toBe("int32");
  });
  test("rounding does not reach the end of a range", () => {
    // Of 2^24 numbers below 1 every hundredth rounds to 1001 where it is added to 1000.
    expect(Math.max(...values(tf.randomUniform([count], 1000, 1001, "float32", 6)))).toBeLessThan(1001);
  });
  test("ranges that are none are refused", () => {
    expect(() => tf.randomUniform([2], 1, 0)).toThrow("minval 1 exceeds maxval 0");
    expect(() => tf.randomUniformInt([2], 3, 3)).toThrow("minval below maxval");
    expect(() => tf.randomUniformInt([2], 0, 2 ** 32)).toThrow("outside of int32");
    expect(() => tf.randomNormal([2], 0, 1, "float32", -1)).toThrow("seed must be a whole number");
  });
});

describe("the state", () => {
  test("with a seed every call draws the same, another seed other numbers", () => {
    const draw = (seed: number): number[] => values(tf.randomUniform([4], 0, 1, "float32", seed));
    expect(draw(1)).toEqual(draw(1));
    expect(new Set([...draw(1), ...draw(2), ...draw(1 + 2 ** 32)]).size).toBe(12);
  });
  test("without one every call draws new numbers, which setRandomSeed repeats", () => {
    const draw = (): number[] => [...values(tf.randomUniform([4])), ...values(tf.randomUniform([4]))];
    tf.setRandomSeed(3);
    const first = draw();
    const second = draw();
    tf.setRandomSeed(3);
    expect([draw(), draw()]).toEqual([first, second]);
    expect(new Set([...first, ...second]).size).toBe(16);
  });
  test("a seed of setRandomSeed and one of a call give different numbers", () => {
    tf.setRandomSeed(9);
    expect(values(tf.randomUniform([4]))).not.toEqual(values(tf.randomUniform([4], 0, 1, "float32", 9)));
  });
  test("a state in a variable: a traced function draws new numbers at each call, as eager code would", () => {
    const inVariable = (): typeof randomState.current =>
      variableState((words) => tf.variable(tf.tensor(words), { trainable: false }));
    const draws = withState(inVariable(), () => {
      tf.randomUniform([]); // makes the variable, which a trace must not
      tf.setRandomSeed(4);
      const traced = tf.function(() => tf.randomUniform([3]));
      return [values(traced()), values(traced()), values(tf.randomUniform([3]))];
    });
    expect(new Set(draws.flat()).size).toBe(9);
    const eager = withState(hostState(), () => {
      tf.setRandomSeed(4);
      return [1, 2, 3].map(() => values(tf.randomUniform([3])));
    });
    expect(draws).toEqual(eager);
  });
});

describe("dropout", () => {
  test("drops at the rate, and scales what stays", () => {
    const y = values(tf.dropout(tf.ones([10000]), 0.25, undefined, 1));
    const kept = y.filter((v) => v !== 0);
    expect(Math.abs(kept.length - 7500)).toBeLessThan(5 * Math.sqrt(10000 * 0.25 * 0.75));
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]));
  });
  test("what is dropped is 0, whatever it was", () => {
    const y = values(tf.dropout(tf.fill([100], Number.POSITIVE_INFINITY), 0.5, undefined, 1));
    expect(new Set(y)).toEqual(new Set([0, Number.POSITIVE_INFINITY]));
  });
  test("sizes of 1 in the noise drop together", () => {
    const rows = tf.dropout(tf.ones([50, 3]), 0.5, [50, 1], 2).arraySync() as number[][];
    expect(rows.every((row) => new Set(row).size === 1)).toBe(true);
    expect(new Set(rows.flat())).toEqual(new Set([0, 2]));
  });
  test("a rate outside of [0, 1) is refused", () => {
    for (const rate of [-0.1, 1, Number.NaN]) expect(() => tf.dropout([1], rate)).toThrow("rate must be");
  });
});
