// g: inference of MobileNetV2 1.0, 224 × 224, float32, batch 1, the weights random.
import * as tf from "millrace";
import { timed } from "../lib/measure.mjs";
import { mobileNetV2 } from "../lib/mobilenet.mjs";

/** One picture in, its probabilities read. */
function task(makes) {
  const run = makes(mobileNetV2());
  const picture = tf.randomUniform([1, 224, 224, 3], -1, 1);
  return timed({
    name: "g.mobilenetv2 b1",
    unit: "ms",
    low: true,
    rate: (s) => s * 1e3,
    run() {
      const y = run(picture);
      y.dataSync();
      y.dispose();
    },
  });
}

export const systems = {
  "millrace tf.fn": { g: () => task((model) => tf.fn((x) => model.apply(x, { training: false }))) },
  "millrace predict": { g: () => task((model) => (x) => model.predict(x)) },
};
