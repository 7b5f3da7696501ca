// @ts-check
// Plain JavaScript: nothing is annotated, everything may be unknown, and nothing is in the way.
import * as tf from "@millrace/core";

/**
 * @param {any} config
 * @param {() => Promise<import("@millrace/core").Tensor>} load
 */
export async function main(config, load) {
  const x = await load();
  const y = await load();
  const z = tf.add(x, y);
  const p = tf.softmax(tf.matMul(z, tf.transpose(y)));
  const r = tf.reshape(p, config.shape);
  const s = tf.sum(r, config.axis, config.keep);
  const c = tf.concat([x, z, r], config.axis);
  const n = x.shape[0];
  const q = tf.reshape(x, [n, -1]);
  const data = [
    [1, 2],
    [3, 4],
  ];
  const t = tf.tensor(data);
  const v = tf.variable(t);
  v.assign(tf.add(t, x));
  const list = [];
  for (const _ of ["a", "b"]) list.push(await load());
  const first = (await x.array())[0][1] + 1;
  return [
    s,
    c,
    q,
    tf.stack(list),
    tf.concat(list, 1),
    tf.conv2d(x, y, config.strides, "same"),
    tf.mul(n > 1 ? x : t, 3),
    first,
  ];
}

/** @param {import("@millrace/core").Tensor} a @param {number[]} shape */
export function grow(a, shape) {
  let h = a;
  for (const size of shape) h = tf.add(h, tf.zeros([size]));
  return h.add(1).reshape(shape);
}
