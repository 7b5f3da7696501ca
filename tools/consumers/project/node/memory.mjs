// A million tensors that nobody keeps, in one synchronous loop and in one that awaits: what the process holds after each.
import * as tf from "millrace";

const megabytes = () => Math.round(process.memoryUsage.rss() / 2 ** 20);
const x = tf.ones([8]);
let y = x;
for (let i = 0; i < 1e6; i++) y = tf.add(x, x);
const held = [megabytes()];
for (let i = 0; i < 1e6; i++) {
  y = tf.add(x, x);
  await null;
}
held.push(megabytes());
console.log(JSON.stringify({ y: await y.array(), held, backend: tf.getBackend(), node: process.version }));
