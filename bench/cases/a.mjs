// a: what a small op costs: the eager add of two tensors of 8 numbers.
import * as tf from "millrace";
import { timed } from "../lib/measure.mjs";

const task = (run) => timed({ name: "a.dispatch add[8]", unit: "ns/op", low: true, rate: (s) => s * 1e9, run });
const operands = () => [tf.ones([8]), tf.ones([8])];

export const systems = {
  "millrace eager": {
    a() {
      const [a, b] = operands();
      return task(() => {
        tf.add(a, b);
      });
    },
  },
  "millrace tf.fn call": {
    a() {
      const [a, b] = operands();
      const add = tf.fn((x, y) => tf.add(x, y));
      return task(() => {
        add(a, b);
      });
    },
  },
};
