// node load.mjs FILE: reads digits from stdin, as the bytes of float32 pixels, and writes the probabilities that the saved
// model gives them to stdout, as the bytes of float32 numbers. FILE is a .keras file or an exported directory.
import process from "node:process";
import { buffer } from "node:stream/consumers";
import * as tf from "millrace";

const [path] = process.argv.slice(2);
const bytes = await buffer(process.stdin);
const pixels = new Float32Array(new Uint8Array(bytes).buffer);
const images = tf.tensor(pixels, [pixels.length / 784, 28, 28, 1]);

const probabilities = path.endsWith(".keras")
  ? (await tf.loadModel(path)).predict(images)
  : (await tf.loadExecutable(path)).run({ input: images }).output;
process.stdout.write(bytesOf(await probabilities.data()));

function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
