// An error that comes after a call has returned names the line of that call, whoever reads it and wherever,
// and that of the assertion.
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "@millrace/core";
import { assertOp, engine } from "@millrace/core/graph";

tf.registerBackend("cpu", createCpuBackend, { priority: 10 });

/** So many elements that a program on them is queued. */
const many = 4_000_000;

const checked = (message: string) =>
  tf.fn((ok: tf.Tensor, x: tf.Tensor) => {
    const y = tf.tanh(tf.exp(tf.sin(x)));
    return engine.apply(assertOp, [ok, y], { message })[0]! as tf.Tensor;
  });

/** The number of the line that calls this. */
const here = (): number => Number(/late\.test\.ts:(\d+)/.exec(new Error().stack!.split("\n")[2]!)![1]);

async function errorOf(f: () => unknown): Promise<tf.MillraceError> {
  try {
    await f();
  } catch (error) {
    if (tf.isMillraceError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const no = tf.scalar(false);

test("of the program itself and of what depends on it, read at once or awaited", async () => {
  const x = tf.ones([many]);
  const [made, line] = [checked("not today")(no, x), here()];
  const after = tf.add(made, 1);
  for (const read of [() => made.data(), () => made.dataSync(), () => after.data(), () => tf.neg(after).dataSync()]) {
    const error = await errorOf(read);
    expect(error.code).toBe("E_ARGUMENT");
    expect(error.site?.line).toBe(line);
    expect(error.message).toMatch(new RegExp(`^assertion failed: not today\n[^]*\n  at .*late\\.test\\.ts:${line}:`));
  }
});

test("of a small program that waits behind others, each its own; and of sync", async () => {
  const [long, small] = [tf.ones([many]), tf.ones([8])];
  const [slow, quick] = [checked("slow"), checked("quick")];
  quick(tf.scalar(true), small);
  const [first, firstLine] = [slow(no, long), here()];
  const [second, secondLine] = [quick(no, small), here()];
  const synced = tf.sync();
  expect((await errorOf(() => second.data())).site?.line).toBe(secondLine);
  expect(await errorOf(() => synced)).toMatchObject({
    reason: expect.stringMatching(/^assertion failed: slow\n/),
    site: { line: firstLine },
  });
  expect((await errorOf(() => first.data())).site?.line).toBe(firstLine);
});

test("where nobody can read it any more", async () => {
  const warnings: string[] = [];
  tf.setLogger({ warn: (text) => warnings.push(text) });
  const [made, line] = [checked("unread")(no, tf.ones([many])), here()];
  made.dispose();
  await tf.sync();
  while (warnings.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([
    expect.stringMatching(new RegExp(`^W_LOST_ERROR: .*unread\n[^]*\n  at .*late\\.test\\.ts:${line}:`)),
  ]);
  tf.setLogger();
});
