// eager: code that is not traced. The MLP's step with a tape and no tf.fn, and a step for each batch size from 1 to 512, where
// none of them may stall: each size is new, and now and then equal to another size of the net.
import * as tf from "millrace";
import { lineOf } from "../lib/measure.mjs";
import { loop, tapeStepOf, trainings } from "../lib/training.mjs";

const features = 64;
const longest = 512;

/** One pass over all sizes, by a net of its own; the slowest and the median step stand on the line, ms. */
function lengths() {
  return {
    async measure({ system }) {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 128, activation: "relu", inputShape: [features] }),
          tf.layers.dense({ units: 10 }),
        ],
      });
      const step = tapeStepOf(model);
      const data = tf.randomUniform([longest + 8, features]);
      const labels = tf.randomUniformInt([longest + 8], 0, 10);
      const milliseconds = [];
      const timeOf = (length) => {
        const start = performance.now();
        const [x, y] = [data.slice([0, 0], [length, features]), labels.slice([0], [length])];
        const loss = step(x, y);
        loss.itemSync();
        tf.dispose([x, y, loss]);
        return performance.now() - start;
      };
      for (let more = 1; more <= 8; more++) timeOf(longest + more);
      const cpu = process.cpuUsage();
      for (let length = 1; length <= longest; length++) milliseconds.push(timeOf(length));
      const { user, system: kernel } = process.cpuUsage(cpu);
      tf.dispose([data, labels]);
      const sorted = [...milliseconds].sort((a, b) => a - b);
      const extra = {
        slowest_ms: Number(sorted[longest - 1].toPrecision(4)),
        slowest_length: milliseconds.indexOf(sorted[longest - 1]) + 1,
        median_ms: Number(sorted[longest >> 1].toPrecision(4)),
      };
      const total = milliseconds.reduce((sum, x) => sum + x) / 1e3;
      const what = { name: "eager.lengths 1 to 512", system, unit: "s", low: true, rate: (s) => s };
      return lineOf(what, { wall: [total], cpu: [(user + kernel) / 1e6] }, extra);
    },
  };
}

export const systems = {
  "millrace eager": {
    "eager.mlp": () => loop({ ...trainings.d, name: "eager.mlp train b128" }, tapeStepOf),
    "eager.lengths": lengths,
  },
};
