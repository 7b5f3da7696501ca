// What tf.memory() knows of buffers: names outlive the programs that gave them, and no more are kept than are needed.
import * as tf from "@millrace/core";
import { type Backend, ReferenceBackend } from "@millrace/core/backend";
import { engine } from "@millrace/core/graph";
import { origins } from "../src/runtime/origins.js";

const reference = new ReferenceBackend();
tf.registerBackend("reference", () => reference, { priority: 1 });
// One that does not say what made its buffers.
const silent: Backend = Object.defineProperty(new ReferenceBackend({ name: "silent" }), "origins", {
  value: undefined,
});
tf.registerBackend("silent", () => silent);

const rowsOf = (op: string): tf.LiveTensors[] => tf.memory().byOp.filter((row) => row.op === op);

test("a result keeps its name when its program was given back, and sizes that were met once are forgotten", () => {
  const first = tf.tidy(() => tf.exp(tf.zeros([3])));
  for (let n = 2; n < 5000; n++) tf.tidy(() => void tf.exp(tf.fill([n], 1)));
  expect(reference.stats().bounds).toBeLessThan(4096);
  expect(rowsOf("exp")).toEqual([{ op: "exp", dtype: "float32", shape: [3], tensors: 1, bytes: 12 }]);
  // Two for each size were made.
  expect(origins.size).toBeLessThan(4200);
  first.dispose();
  expect(rowsOf("exp")).toEqual([]);
});

test("what is live on a backend that does not say of what is of no op", async () => {
  const before = tf.memory();
  const x = tf.device("silent", () => tf.tensor([1, 2]));
  const y = x.add(x);
  expect(rowsOf("other")).toEqual([{ op: "other", tensors: 2, bytes: 16 }]);
  expect(`${tf.memory()}`).toContain("  2  16 B  other");
  tf.debugging.trackSites(true);
  expect(x.mul(y).arraySync()).toEqual([2, 8]);
  tf.debugging.trackSites(false);
  tf.dispose([x, y]);
  expect(tf.memory().numTensors).toBe(before.numTensors + 1);
});

test("tracking lines changes no result, under a tape, in a trace and where operands broadcast", () => {
  const run = (): unknown => {
    const v = tf.variable([1, 2, 3]);
    const f = tf.fn((x: tf.Tensor) => tf.sum(tf.mul(x, v)));
    const value = [f(tf.tensor([4, 5, 6])), tf.add([[1], [2]], [3, 4]), tf.max(v), v.assignAdd([1, 1, 1])];
    return value.map((x) => x.arraySync());
  };
  const want = run();
  tf.debugging.trackSites(true);
  expect(run()).toEqual(want);
  expect(engine.isPlain()).toBe(true);
  tf.debugging.trackSites(false);
  expect(run()).toEqual(want);
});

test("a report of many kinds shows the largest", () => {
  const held = Array.from({ length: 30 }, (_, i) => tf.tidy(() => tf.zeros([100 + i]).neg()));
  const lines = `${tf.memory()}`.split("\n");
  expect(lines[1]).toBe("  1  516 B  neg float32[129]");
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toMatch(/^ {2}and \d+ kinds more$/);
  tf.dispose(held);
});

test("it is data too", () => {
  const x = tf.tensor([1, 2]);
  const { byOp, numTensors } = JSON.parse(JSON.stringify(tf.memory())) as tf.Memory;
  expect(byOp).toContainEqual({
    op: "upload",
    dtype: "float32",
    shape: [2],
    tensors: expect.any(Number),
    bytes: expect.any(Number),
  });
  expect(numTensors).toBeGreaterThan(0);
  x.dispose();
});
