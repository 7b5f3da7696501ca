// What tracing does for datasets: `node bench/data.mjs [rounds]` prints a JSON line a case. Each function runs over the same
// elements as one program and as plain JavaScript, turn by turn; `ratio` is plain time over traced time, over 1 where tracing
// wins. `setup` is what the first iteration of a traced dataset takes more than a later one: tracing twice, and compiling.
import process from "node:process";
import * as tf from "millrace";

const rounds = Number(process.argv[2] ?? 7);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const three = (x) => Number(x.toPrecision(3));

async function seconds(ds) {
  const start = performance.now();
  for await (const element of ds) tf.dispose(element);
  return (performance.now() - start) / 1e3;
}

async function compare(name, count, make) {
  const [traced, plain] = [true, false].map((trace) => make({ trace }));
  const first = await seconds(traced);
  await seconds(plain);
  const [fast, slow, none] = [[], [], []];
  const bare = make();
  for (let round = 0; round < rounds; round++) {
    fast.push(await seconds(traced));
    slow.push(await seconds(plain));
    none.push(await seconds(bare));
  }
  const micros = (s) => three((s / count) * 1e6);
  const ratio = three(median(slow) / median(fast));
  const own = three((median(slow) - median(none)) / (median(fast) - median(none)));
  console.log(
    JSON.stringify({
      ...{ case: name, elements: count, traced: micros(median(fast)), plain: micros(median(slow)) },
      ...{ withoutMap: micros(median(none)), unit: "µs/element", ratio, ratioOfMapAlone: own },
      setup: `${three((first - median(fast)) * 1e3)} ms`,
    }),
  );
}

const small = Float32Array.from({ length: 10_000 * 8 }, (_, i) => i % 256);
const rows = tf.data.fromTensorSlices(tf.tensor(small, [10_000, 8]));
/** The dataset mapped, or not where there are no options. */
const mapped = (ds, f) => (options) => (options ? ds.map(f, options) : ds);

const images = tf.data.fromTensorSlices({
  xs: tf.randomUniform([1000, 28, 28, 1], 0, 255),
  ys: tf.cast(tf.range(0, 1000), "int32"),
});

/** Pads to 32 × 32, crops at random, flips half of them, and normalises. */
function augment({ xs, ys }) {
  const padded = tf.pad(xs, [
    [2, 2],
    [2, 2],
    [0, 0],
  ]);
  const [top, left] = [tf.randomUniformInt([1], 0, 5), tf.randomUniformInt([1], 0, 5)];
  const cropped = tf.gather(
    tf.gather(padded, tf.add(tf.range(0, 28, 1, "int32"), top), 0),
    tf.add(tf.range(0, 28, 1, "int32"), left),
    1,
  );
  const flipped = tf.where(tf.less(tf.randomUniform([]), 0.5), tf.reverse(cropped, 1), cropped);
  return { xs: flipped.div(255).sub(0.1307).div(0.3081), ys };
}

/** The same without randomness: pad, crop, flip, normalise. */
function prepare({ xs, ys }) {
  const padded = tf.pad(xs, [
    [2, 2],
    [2, 2],
    [0, 0],
  ]);
  return {
    xs: tf
      .reverse(padded.slice([3, 1, 0], [28, 28, 1]), 1)
      .div(255)
      .sub(0.1307)
      .div(0.3081),
    ys,
  };
}

await compare(
  "x → x / 255, [8]",
  10_000,
  mapped(rows, (x) => x.div(255)),
);
await compare(
  "x → standardised, [8]",
  10_000,
  mapped(rows, (x) => x.sub(x.mean()).div(x.sub(x.mean()).square().mean().sqrt().add(1e-6))),
);
await compare("pad, crop, flip, normalise, [28,28,1]", 1000, mapped(images, prepare));
await compare("pad, random crop, random flip, normalise, [28,28,1]", 1000, mapped(images, augment));
