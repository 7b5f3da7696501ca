import * as tf from "../src/index.js";

tf.registerReferenceBackend();

const normal = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, "float64", seed);

describe("scaledDotProductAttention", () => {
  /** softmax(scale · q · kᵀ) · v for one head, query by query. */
  function attend(q: number[][], k: number[][], v: number[][], scale: number, causal: boolean): number[][] {
    return q.map((query, i) => {
      const seen = causal ? k.slice(0, i + 1) : k;
      const e = seen.map((key) => Math.exp(scale * key.reduce((s, x, d) => s + x * query[d]!, 0)));
      const sum = e.reduce((s, x) => s + x, 0);
      return v[0]!.map((_, d) => e.reduce((s, x, j) => s + (x / sum) * v[j]![d]!, 0));
    });
  }
  test.each([
    [false, undefined],
    [true, undefined],
    [true, 2],
  ])("causal %s, scale %s: head by head what its definition says", (causal, scale) => {
    const [q, k, v] = [normal([2, 3, 4, 5], 1), normal([2, 3, 6, 5], 2), normal([2, 3, 6, 2], 3)];
    const options = scale === undefined ? { causal } : { causal, scale };
    const got = tf.scaledDotProductAttention(q, k, v, options).arraySync() as number[][][][];
    const [a, b, c] = [q, k, v].map((x) => x.arraySync() as number[][][][]) as [
      number[][][][],
      number[][][][],
      number[][][][],
    ];
    got.forEach((heads, n) => {
      heads.forEach((rows, h) => {
        const want = attend(a[n]![h]!, b[n]![h]!, c[n]![h]!, scale ?? 1 / Math.sqrt(5), causal);
        rows.forEach((row, i) => {
          row.forEach((x, d) => {
            expect(x).toBeCloseTo(want[i]![d]!, 12);
          });
        });
      });
    });
  });
  test("operands that do not fit, and unknown options, are refused", () => {
    const x: tf.Tensor = tf.zeros([1, 1, 2, 3]);
    expect(() => tf.scaledDotProductAttention(x, tf.zeros([1, 1, 2, 4]), x)).toThrow(
      "queries, keys and values do not fit",
    );
    expect(() => tf.scaledDotProductAttention(tf.zeros([2, 3]), x, x, { scale: 1 })).toThrow(
      "[batch, heads, length, size]",
    );
    // boundary: what JavaScript may pass
    const options = { casual: true } as object;
    expect(() => tf.scaledDotProductAttention(x, x, x, options)).toThrow(
      'there is no option "casual" (did you mean "causal"?)',
    );
  });
});

describe("normalisation", () => {
  test("layerNorm: each row has mean 0 and variance 1", () => {
    const y = tf.layerNorm(normal([4, 50], 4), undefined, undefined, { epsilon: 0 });
    for (const row of y.arraySync() as number[][]) {
      expect(row.reduce((s, x) => s + x, 0) / 50).toBeCloseTo(0, 12);
      expect(row.reduce((s, x) => s + x * x, 0) / 50).toBeCloseTo(1, 12);
    }
  });
  test("layerNorm: a vector of another length is refused", () => {
    const gamma: tf.Tensor = tf.ones([2]);
    expect(() => tf.layerNorm(tf.zeros([2, 3]), gamma)).toThrow("is not as long as the last axis of [2,3]");
  });
  test("batchNorm: by channel, with scale and offset", () => {
    const y = tf.batchNorm(
      [
        [1, 10],
        [3, 30],
      ],
      [2, 20],
      [1, 100],
      [0, 5],
      [1, 2],
      0,
    );
    expect(y.arraySync()).toEqual([
      [-1, 3],
      [1, 7],
    ]);
    expect((tf.batchNorm([1], [0], [0]).arraySync() as number[])[0]).toBeCloseTo(1 / Math.sqrt(1e-3), 4);
  });
});

describe("softmax", () => {
  test("the axis is the last one, or the one that is named", () => {
    const x = normal([3, 4], 5);
    for (const [axis, kept] of [
      [undefined, 1],
      [0, 0],
      [-1, 1],
    ] as const) {
      const sums = tf
        .sum(axis === undefined ? tf.softmax(x) : tf.softmax(x, axis as number), kept)
        .arraySync() as number[];
      for (const s of sums) expect(s).toBeCloseTo(1, 12);
    }
  });
  test("logSoftmax is its logarithm", () => {
    const x = normal([3, 4], 6);
    const [a, b] = [tf.log(tf.softmax(x)).dataSync(), tf.logSoftmax(x).dataSync()] as [Float64Array, Float64Array];
    for (const [i, v] of a.entries()) expect(b[i]).toBeCloseTo(v, 12);
  });
  test("an axis that is none is refused", () => {
    const x: tf.Tensor = tf.zeros([3]);
    expect(() => tf.softmax(x, 1)).toThrow("softmax: axis 1 is out of range");
  });
});

test("gelu and its approximation differ by less than a thousandth", () => {
  const x = tf.linspace(-6, 6, 101);
  const [a, b] = [tf.gelu(x).dataSync(), tf.gelu(x, { approximate: true }).dataSync()] as [Float32Array, Float32Array];
  expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))).toBeLessThan(1e-3);
});
