// A long program is queued: the thread of JavaScript goes on, whatever the program takes. The one here does not end.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { MessageChannel } from "node:worker_threads";
import * as tf from "@millrace/core";
import { backends, codeOf } from "./helpers.js";

const backend = backends()();
tf.registerBackend("cpu", () => backend, { priority: 10 });
const queued = (): number => (backend.stats() as { readonly queued?: number }).queued!;

const endless = tf.fn((x: tf.Tensor): tf.Tensor => {
  const [y] = tf.whileLoop(
    (z) => tf.less(tf.sum(z), Number.POSITIVE_INFINITY),
    (z) => [tf.mul(z, 1)],
    [x],
  );
  return y!;
});

/** One way in which the event loop shows that it turns. */
const turns: Record<string, () => Promise<unknown>> = {
  "a microtask": () => Promise.resolve(),
  "process.nextTick": () => new Promise<void>((resolve) => process.nextTick(resolve)),
  setImmediate: () => new Promise((resolve) => setImmediate(resolve)),
  "ten timers one after the other": async () => {
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  },
  "a file that is read": () => readFile(fileURLToPath(import.meta.url)),
  "a message": () => {
    const { port1, port2 } = new MessageChannel();
    port2.postMessage("here");
    return new Promise((resolve) => port1.once("message", resolve)).finally(() => port1.close());
  },
  "the value of a tensor that does not depend on it": () => tf.tensor([1, 2]).data(),
};

test("the event loop stays free while a program runs and while its result is awaited", async () => {
  const result = endless(tf.tensor([1, 2]));
  let ended = false;
  const controller = new AbortController();
  const read = codeOf(() => result.data({ signal: controller.signal })).finally(() => {
    ended = true;
  });
  const seen: string[] = [];
  await Promise.all(Object.entries(turns).map(([name, turn]) => turn().then(() => seen.push(name))));
  expect(seen.sort()).toEqual(Object.keys(turns).sort());
  expect([queued(), ended]).toEqual([1, false]);
  controller.abort(Object.assign(new Error("the test is over"), { code: "E_TEST" }));
  expect(await read).toBe("E_TEST");
  expect(await codeOf(() => result.data())).toBe("E_ABORTED");
  expect(queued()).toBe(0);
});

test("the event loop stays free while two models run in turn", async () => {
  // The second waits for the first, the caller for neither.
  const [first, second] = [endless(tf.tensor([1, 2])), endless(tf.tensor([3, 4]))];
  const order: string[] = [];
  const [one, other] = [new AbortController(), new AbortController()];
  const reads = [first.data({ signal: one.signal }), second.data({ signal: other.signal })].map((read, i) =>
    read.catch(() => order.push(`read ${i}`)),
  );
  await turns.setImmediate!();
  order.push("event");
  expect(queued()).toBe(2);
  one.abort();
  await reads[0];
  expect(await codeOf(() => first.data())).toBe("E_ABORTED");
  await turns.setImmediate!();
  order.push("event");
  expect(queued()).toBe(1);
  other.abort();
  await reads[1];
  expect(order).toEqual(["event", "read 0", "event", "read 1"]);
});
