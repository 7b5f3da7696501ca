// Functions that use many ops, for the tests of artifacts and the fixtures of releases. What they compute means nothing.

/** Numbers without chance, so that every machine makes the same artifacts. */
const ramp = (tf, shape, scale = 0.1) => {
  const count = shape.reduce((n, d) => n * d, 1);
  return tf.tensor(
    Float32Array.from({ length: count }, (_, i) => scale * (((i * 7) % 13) - 6)),
    shape,
  );
};

/** A small network for images. */
function smallCnn(tf) {
  const kernel = tf.variable(ramp(tf, [3, 3, 1, 4]), { name: "conv/kernel" });
  const bias = tf.variable(ramp(tf, [4]), { name: "conv/bias" });
  const dense = tf.variable(ramp(tf, [36, 10]), { name: "dense/kernel" });
  const body = ({ image }) => {
    const conv = tf.relu(tf.add(tf.conv2d(image, kernel, 1, "valid"), bias));
    const pooled = tf.maxPool(conv, 2, 2, "valid");
    const logits = tf.matMul(tf.reshape(pooled, [-1, 36]), dense);
    return { probabilities: tf.softmax(logits), class: tf.argMax(logits, -1) };
  };
  return tf.nameFunction("serving_default", body, { image: { shape: ["batch", 8, 8, 1] } });
}

/** Ops of every kind on a matrix of any height. */
function opZoo(tf) {
  const table = tf.variable(ramp(tf, [6, 4]), { name: "table" });
  const body = ({ x, ids }) => {
    const joined = tf.concat([x, tf.gather(table, ids)], 1);
    const normal = tf.layerNorm(joined, tf.ones([8]), tf.zeros([8]));
    const sums = tf.cumsum(tf.reverse(normal, 1), 1);
    const masked = tf.where(tf.greater(sums, 0), tf.exp(tf.neg(sums)), tf.tanh(sums));
    const padded = tf.pad(
      masked,
      [
        [1, 1],
        [0, 2],
      ],
      Number.NEGATIVE_INFINITY,
    );
    const part = tf.slice(padded, [1, 2], [-1, 4]);
    const large = tf.tensor(
      Float32Array.from({ length: 400 }, (_, i) => i / 400),
      [20, 20],
    );
    return {
      part,
      products: tf.matMul(tf.transpose(part), part),
      mean: tf.mean(tf.matMul(large, large), 0),
      whole: tf.cast(tf.floor(tf.mul(tf.clipByValue(part, -9, 9), 3)), "int64"),
      any: tf.any(tf.isNaN(part), 1),
      gelu: tf.gelu(x),
      halves: tf.split(x, 2, 1)[1],
      hot: tf.oneHot(ids, 6),
      best: tf.argMax(x, 1),
      pairs: tf.reshape(x, [-1, 2]),
      maximum: tf.max(tf.abs(x), [0, 1]),
      tiled: tf.tile(x, [1, 2]),
    };
  };
  return tf.nameFunction("zoo", body, { x: { shape: ["rows", 4] }, ids: { shape: ["rows"], dtype: "int32" } });
}

/** Regions, what they capture, and a function that is called. */
function controlFlow(tf) {
  const limit = tf.variable(20, { name: "limit" });
  const half = tf.fn((x) => tf.mul(x, 0.5));
  const body = ({ x }) => {
    const grown = tf.whileLoop(
      (y) => tf.less(tf.sum(y), limit),
      (y) => [tf.add(tf.mul(y, 2), 1)],
      [tf.abs(x)],
      { maximumIterations: 9 },
    )[0];
    const chosen = tf.cond(
      tf.greater(tf.sum(x), 0),
      () => half(tf.add(x, grown)),
      () => tf.sub(x, limit),
    );
    return { grown, chosen };
  };
  return tf.nameFunction("control", body, { x: { shape: ["n"] } });
}

/** A weight of every dtype. */
function everyDtype(tf) {
  const weights = {
    bool: tf.tensor([true, false, true]),
    uint8: tf.tensor(Uint8Array.of(0, 128, 255)),
    int32: tf.tensor(Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)),
    int64: tf.tensor(BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)),
    float32: tf.tensor(Float32Array.of(Number.NaN, -0, 1e-45)),
    float64: tf.tensor(Float64Array.of(Number.NEGATIVE_INFINITY, 0.1, 5e-324)),
    empty: tf.zeros([0, 3]),
  };
  const named = Object.entries(weights).map(([name, w]) => [name, tf.variable(w, { name })]);
  const body = ({ count }) =>
    Object.fromEntries(
      named.map(([name, w]) => [name, tf.reshape(w, name === "empty" ? [3, 0] : [3, 1])]).concat([["count", count]]),
    );
  return tf.nameFunction("dtypes", body, { count: { shape: [], dtype: "int32" } });
}

/** All of them, made with the core `tf`, and what each is called with. */
export function zoo(tf) {
  const x = ramp(tf, [3, 4]);
  const ids = tf.tensor(Int32Array.of(5, 0, 2));
  return [
    { name: "small-cnn", function: smallCnn(tf), inputs: { image: ramp(tf, [2, 8, 8, 1]) } },
    { name: "op-zoo", function: opZoo(tf), inputs: { x, ids } },
    { name: "control-flow", function: controlFlow(tf), inputs: { x: tf.tensor([0.5, 1, -0.25]) } },
    { name: "dtypes", function: everyDtype(tf), inputs: { count: tf.scalar(1, "int32") } },
  ];
}
