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

describe("lstm", () => {
  const [batch, time, features, units] = [2, 5, 3, 4];
  const x = normal([batch, time, features], 11);
  const [kernel, recurrent] = [normal([features, 4 * units], 12), normal([units, 4 * units], 13)];
  const bias = normal([4 * units], 14);
  const [h0, c0] = [normal([batch, units], 15), normal([batch, units], 16)];

  /** Step by step, in ops. */
  function steps(reverse: boolean): tf.Tensor[] {
    let [h, c]: [tf.Tensor, tf.Tensor] = [h0, c0];
    const all = (tf.unstack(x, 1) as tf.Tensor[]).map((own) => tf.matMul(own, kernel) as tf.Tensor);
    const states = (reverse ? all.reverse() : all).map((sums) => {
      const parts = tf.split(tf.add(tf.add(sums, bias), tf.matMul(h, recurrent)), 4, 1) as readonly tf.Tensor[];
      const [i, f, g, o] = [tf.sigmoid(parts[0]!), tf.sigmoid(parts[1]!), tf.tanh(parts[2]!), tf.sigmoid(parts[3]!)];
      c = tf.add(tf.mul(f, c), tf.mul(i, g));
      h = tf.mul(o, tf.tanh(c));
      return h;
    });
    return [tf.stack(reverse ? states.reverse() : states, 1), h, c];
  }
  const numbers = (t: tf.Tensor): number[] => Array.from(t.dataSync() as Float64Array);
  function expectClose(got: tf.Tensor, want: tf.Tensor): void {
    for (const [i, y] of numbers(want).entries()) expect(numbers(got)[i]).toBeCloseTo(y, 12);
  }

  test.each([false, true])(
    "is its definition step by step, for any number of steps and for a known one, reverse %s",
    (reverse) => {
      const options = { bias, initialState: [h0, c0] as const, reverse };
      const known = tf.fn((own: tf.Tensor) => {
        const { sequence, state } = tf.lstm(own, kernel, recurrent, options);
        return [sequence, ...state];
      });
      const { sequence, state } = tf.lstm(x, kernel, recurrent, options);
      const want = steps(reverse);
      for (const got of [[sequence, ...state], known(x)] as tf.Tensor[][]) {
        for (const [i, y] of want.entries()) expectClose(got[i]!, y);
      }
    },
  );
  test("without a state it starts from zeros, and an empty sequence ends with what it started from", () => {
    const zeros = [tf.zeros([batch, units], "float64"), tf.zeros([batch, units], "float64")] as const;
    const [without, from] = [{}, { initialState: zeros }].map((options) => tf.lstm(x, kernel, recurrent, options));
    expectClose(without!.sequence, from!.sequence);
    const empty: tf.Tensor = tf.zeros([batch, 0, features], "float64");
    const ends = (options: Parameters<typeof tf.lstm>[3]): number[][] =>
      tf.lstm(empty, kernel, recurrent, options).state.map(numbers);
    expect(ends({})).toEqual(zeros.map(numbers));
    expect(ends({ initialState: [h0, c0] })).toEqual([h0, c0].map(numbers));
  });
  test("what does not fit is refused", () => {
    const wrong: tf.Tensor = tf.zeros([units, 3 * units], "float64");
    expect(() => tf.lstm(x, kernel, wrong)).toThrow("needs float64[4,16], got float64[4,12]");
    expect(() => tf.lstm(x as tf.Tensor, wrong, recurrent)).toThrow("matMul");
    expect(() => tf.lstm(tf.zeros([3, 4]) as tf.Tensor, kernel, recurrent)).toThrow(
      "needs an input [batch, time, features]",
    );
    // @ts-expect-error -- an input of rank 2, where types know it
    expect(() => tf.lstm(tf.zeros([3, 4]), tf.zeros([4, 8]), tf.zeros([2, 8]))).toThrow("needs an input");
  });
});

describe("gru", () => {
  const [batch, time, features, units] = [2, 5, 3, 4];
  const x = normal([batch, time, features], 21);
  const [kernel, recurrent] = [normal([features, 3 * units], 22), normal([units, 3 * units], 23)];
  const [bias, h0] = [normal([2, 3 * units], 24), normal([batch, units], 25)];
  const numbers = (t: tf.Tensor): number[] => Array.from(t.dataSync() as Float64Array);
  function expectClose(got: tf.Tensor, want: tf.Tensor): void {
    for (const [i, y] of numbers(want).entries()) expect(numbers(got)[i]).toBeCloseTo(y, 12);
  }
  const third = (t: tf.Tensor, k: number): tf.Tensor => (tf.split(t, 3, -1) as readonly tf.Tensor[])[k]!;

  /** Step by step, in ops; steps that `counts` leaves out keep the state. */
  function steps(resetAfter: boolean, reverse: boolean, counts?: readonly boolean[]): tf.Tensor[] {
    const [own, after] = [0, 1].map((i) => tf.gather(bias, i)) as [tf.Tensor, tf.Tensor];
    let h: tf.Tensor = h0;
    const all = (tf.unstack(x, 1) as tf.Tensor[]).map((row) => tf.add(tf.matMul(row, kernel), own) as tf.Tensor);
    const order = all.map((_, t) => t);
    const states: tf.Tensor[] = [];
    for (const t of reverse ? order.reverse() : order) {
      const product: tf.Tensor = tf.matMul(h, recurrent);
      const sums: tf.Tensor = resetAfter ? tf.add(product, after) : product;
      const gate = (k: number): tf.Tensor => tf.sigmoid(tf.add(third(all[t]!, k), third(sums, k)) as tf.Tensor);
      const [z, r] = [gate(0), gate(1)];
      const through = resetAfter
        ? tf.mul(r, third(sums, 2))
        : tf.matMul(tf.mul(r, h) as tf.Tensor, third(recurrent, 2));
      const g = tf.tanh(tf.add(third(all[t]!, 2), through as tf.Tensor) as tf.Tensor);
      const next: tf.Tensor = tf.add(tf.mul(z, h), tf.mul(tf.sub(1, z), g));
      h = counts && !counts[t] ? h : next;
      states[t] = h;
    }
    return [tf.stack(states, 1), h];
  }

  test.each([
    [true, false],
    [true, true],
    [false, false],
    [false, true],
  ])("is its definition step by step, resetAfter %s, reverse %s, and with a mask", (resetAfter, reverse) => {
    const own: tf.Tensor = resetAfter ? bias : (tf.unstack(bias) as readonly tf.Tensor[])[0]!;
    const options = { bias: own, initialState: h0, reverse, resetAfter };
    const counts = [false, true, false, false, true];
    const mask: tf.Tensor = tf.tensor([...counts, ...counts], [batch, time], "bool");
    for (const [more, want] of [
      [{}, steps(resetAfter, reverse)],
      [{ mask }, steps(resetAfter, reverse, counts)],
    ] as const) {
      const run = (t: tf.Tensor): tf.Tensor[] => {
        const { sequence, state } = tf.gru(t, kernel, recurrent, { ...options, ...more });
        return [sequence as tf.Tensor, state as tf.Tensor];
      };
      for (const got of [run(x), tf.fn(run)(x) as tf.Tensor[]])
        for (const [i, y] of want.entries()) expectClose(got[i]!, y);
    }
  });
  test("of one bias the second is zero", () => {
    const one: tf.Tensor = normal([3 * units], 26);
    const two: tf.Tensor = tf.stack([one, tf.zeros([3 * units], "float64")] as readonly tf.Tensor[]);
    const [a, b] = [one, two].map((own) => tf.gru(x, kernel, recurrent, { bias: own }).sequence as tf.Tensor);
    expectClose(a!, b!);
  });
  test("what does not fit is refused", () => {
    const wrong: tf.Tensor = tf.zeros([units, 4 * units], "float64");
    expect(() => tf.gru(x, kernel, wrong)).toThrow("needs float64[4,12], got float64[4,16]");
    expect(() => tf.gru(x, kernel, recurrent, { mask: [[true]] })).toThrow("differ in batch or time");
    // @ts-expect-error -- an input of rank 2, where types know it
    expect(() => tf.gru(tf.zeros([3, 4]), tf.zeros([4, 6]), tf.zeros([2, 6]))).toThrow();
  });
});
