// Signals: an aborted read cancels the program that it waited for, unless somebody else needs it.
import * as tf from "@millrace/core";
import { backends, codeOf } from "./helpers.js";

const backend = backends()();
tf.registerBackend("cpu", () => backend, { priority: 10 });
const reason = new Error("enough");

/** Adds 1 until the sum is `limit`: for ever where that is infinite. */
const count = tf.fn((x: tf.Tensor, limit: tf.Tensor): tf.Tensor[] => {
  const [y] = tf.whileLoop(
    (z) => tf.less(tf.sum(z), limit),
    (z) => [tf.add(z, tf.cast(tf.less(limit, Number.POSITIVE_INFINITY), "float32"))],
    [x],
  );
  return [y!, tf.sum(y!)];
});
const start = tf.tensor([1, 2]);
const never = tf.scalar(Number.POSITIVE_INFINITY);
const endless = (): tf.Tensor[] => count(start, never);

/** What a promise rejects with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: unknown) => error,
  );
const queued = (): number => (backend.stats() as { readonly queued?: number }).queued!;
const events = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each(["data", "array", "item"] as const)(
  "an aborted %s rejects with the reason and ends the program",
  async (f) => {
    const [y, sum] = endless();
    const controller = new AbortController();
    const read = rejection(sum![f]({ signal: controller.signal }));
    controller.abort(reason);
    expect(await read).toBe(reason);
    await expect(y!.data()).rejects.toMatchObject({ code: "E_ABORTED", message: expect.stringMatching("enough") });
    expect(queued()).toBe(0);
  },
);

test("an aborted signal rejects at once, and one that aborts after the read does nothing", async () => {
  await expect(start.data({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(tf.sync(undefined, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const read = start.array({ signal: controller.signal });
  expect(await read).toEqual([1, 2]);
  controller.abort(reason);
  expect(start.arraySync()).toEqual([1, 2]);
  await expect(start.data({ sgnal: null } as object)).rejects.toMatchObject({ code: "E_ARGUMENT" });
});

test("a program that somebody else awaits goes on", async () => {
  const [y, sum] = endless();
  const twice = tf.mul(sum!, 2);
  const [first, second] = [new AbortController(), new AbortController()];
  const reads = [y!.data({ signal: first.signal }), twice.item({ signal: second.signal })].map(rejection);
  first.abort(reason);
  expect(await reads[0]).toBe(reason);
  await events();
  expect(queued()).toBe(2);
  const synced = rejection(tf.sync());
  second.abort(reason);
  expect(await reads[1]).toBe(reason);
  // Only the product was cancelled, had not `sync` waited for all.
  expect(queued()).toBe(2);
  backend.cancel((y as unknown as { readonly buf: number }).buf, "the test is over"); // boundary: the class behind it
  expect(await synced).toMatchObject({ code: "E_ABORTED", message: expect.stringMatching("the test is over") });
  expect(await codeOf(() => twice.data())).toBe("E_ABORTED");
});

test("an aborted sync ends the wait and nothing else", async () => {
  const [y] = endless();
  const controller = new AbortController();
  const synced = rejection(tf.sync("cpu:0", { signal: controller.signal }));
  controller.abort(reason);
  expect(await synced).toBe(reason);
  expect(queued()).toBe(1);
  const reading = new AbortController();
  const read = rejection(y!.data({ signal: reading.signal }));
  reading.abort();
  expect(await read).toMatchObject({ name: "AbortError" });
  expect(await codeOf(() => y!.data())).toBe("E_ABORTED");
});

test("variables stay as they were, and nothing is left behind", async () => {
  const warnings: string[] = [];
  tf.setLogger({ warn: (text) => warnings.push(text) });
  const v = tf.variable(tf.tensor([1, 2]));
  const steps = tf.variable(tf.scalar(0));
  const step = tf.fn((limit: tf.Tensor) => {
    const [next, sum] = count(v, limit);
    v.assign(next!);
    steps.assignAdd(1);
    return [sum!, v.read()];
  });
  for (const x of step(tf.scalar(10))) x.dispose();
  await tf.sync();
  const before = backend.stats();
  const results = [step(never), step(never), step(never)];
  const snapshot = v.read();
  const dependent = tf.sum(v);
  const controller = new AbortController();
  const reads = results.map(([sum]) => rejection(sum!.item({ signal: controller.signal })));
  controller.abort(reason);
  expect(await Promise.all(reads)).toEqual([reason, reason, reason]);
  for (const x of [dependent, results[0]![1]!, results[2]![1]!]) expect(await codeOf(() => x.data())).toBe("E_ABORTED");
  expect([v.arraySync(), snapshot.arraySync(), steps.itemSync()]).toEqual([[5, 6], [5, 6], 1]);
  tf.dispose([results, snapshot, dependent]);
  await tf.sync();
  expect(backend.stats()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes });
  const [sum] = step(tf.scalar(20));
  expect([await sum!.item(), v.arraySync(), steps.itemSync()]).toEqual([21, [10, 11], 2]);
  expect(warnings).toEqual([]);
  tf.setLogger();
});
