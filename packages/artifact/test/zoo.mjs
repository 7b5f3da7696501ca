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

/** All of them, made with the core `tf`, and what each is called with. */
export function zoo(tf) {
  const x = ramp(tf, [3, 4]);
  const ids = tf.tensor(Int32Array.of(5, 0, 2));
  return [
    { function: smallCnn(tf), inputs: { image: ramp(tf, [2, 8, 8, 1]) } },
    { function: opZoo(tf), inputs: { x, ids } },
    { function: controlFlow(tf), inputs: { x: tf.tensor([0.5, 1, -0.25]) } },
  ];
}
