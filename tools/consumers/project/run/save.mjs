// Saves a small convolutional network where a page will find it, with digits to ask it about and what it says of them.
// node run/save.mjs DIRECTORY
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { artifactFiles } from "@millrace/artifact";
import * as core from "@millrace/core";

core.registerReferenceBackend();

let seed = 1;
/** Numbers in ±1 that are the same each time. */
const next = () => {
  seed = (seed * 48271) % 2147483647;
  return (seed / 2147483647) * 2 - 1;
};
const values = (shape) => core.tensor(Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, next), shape);
const weight = (name, shape, scale) => core.variable(core.mul(values(shape), scale), { name });

const [filter, bias] = [weight("filter", [3, 3, 1, 8], 0.5), weight("bias", [8], 0.1)];
const [dense, shift] = [weight("dense", [1352, 10], 0.1), weight("shift", [10], 0.1)];
const digits = core.nameFunction(
  "serving_default",
  ({ image }) => {
    const seen = core.maxPool(core.relu(core.add(core.conv2d(image, filter), bias)), 2, 2);
    return { probabilities: core.softmax(core.add(core.matMul(core.reshape(seen, [-1, 1352]), dense), shift)) };
  },
  { image: { shape: ["batch", 28, 28, 1] } },
);

const [directory] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
for (const [name, bytes] of await artifactFiles([digits], { digits: 10 })) writeFileSync(join(directory, name), bytes);

const image = values([2, 28, 28, 1]);
const { probabilities } = new core.Executable([digits]).run({ image });
const [asked, answer] = [await image.data(), await probabilities.data()];
writeFileSync(join(directory, "asked.json"), JSON.stringify({ image: [...asked], probabilities: [...answer] }));
