// What the native backend adds to what every backend promises: contexts, a queue, late errors, pages.
import * as tf from "@millrace/core";
import { createCpuBackend } from "../src/index.js";
import { addProgram, backends, bytesOf, codeOf, floatsOf, upload, vector, whileProgram } from "./helpers.js";

const open = backends();

describe("contexts", () => {
  test("share nothing: the handle of one is refused by another", async () => {
    const [a, b] = [open(), open()];
    const buf = upload(a, 1, 2, 3, 4);
    expect(await codeOf(() => b.readSync(buf))).toBe("E_DISPOSED");
    expect(floatsOf(a.readSync(buf))).toEqual([1, 2, 3, 4]);
    expect([a.stats().liveBuffers, b.stats().liveBuffers]).toEqual([1, 0]);
  });
  test("are unusable once closed, twice if need be, and reject what waits", async () => {
    const backend = open();
    const bound = backend.bind(backend.compile(whileProgram(Number.POSITIVE_INFINITY)), [4]);
    const [endless] = backend.run(bound, [upload(backend, 0, 0, 0, 0), upload(backend, 0, 0, 0, 0)], []);
    const waiting = codeOf(() => backend.read(endless!));
    backend.close();
    expect(await waiting).toBe("E_DISPOSED");
    expect(await codeOf(() => backend.stats())).toBe("E_DISPOSED");
    backend.close();
  });
});

describe("the queue", () => {
  test("gives handles at once, keeps order, and wakes an awaited read", async () => {
    const backend = open();
    const loop = backend.bind(backend.compile(whileProgram(4000)), [4]);
    const add = backend.bind(backend.compile(addProgram), [4]);
    const [zeros, ones] = [upload(backend, 0, 0, 0, 0), upload(backend, 1, 1, 1, 1)];
    const [x, y] = backend.run(loop, [zeros, ones], []);
    const sum = backend.run2(add, x!, y!);
    for (const buf of [zeros, ones, x!, y!]) backend.free(buf);
    expect(floatsOf(await backend.read(sum))).toEqual([1001, 1001, 1001, 1001]);
    backend.free(sum);
    await backend.sync();
    expect(backend.stats().liveBuffers).toBe(0);
  });
  test("cancels an endless loop; what depends on it fails alike, what does not runs", async () => {
    const backend = open();
    const loop = backend.bind(backend.compile(whileProgram(Number.POSITIVE_INFINITY)), [4]);
    const add = backend.bind(backend.compile(addProgram), [4]);
    const [zeros, ones] = [upload(backend, 0, 0, 0, 0), upload(backend, 1, 1, 1, 1)];
    const [x] = backend.run(loop, [zeros, zeros], []);
    const [dependent, free] = [backend.run2(add, x!, ones), backend.run2(add, ones, ones)];
    const reads = [x!, dependent].map((buf) => codeOf(() => backend.read(buf)));
    expect([backend.cancel(x!), backend.cancel(ones)]).toEqual([true, false]);
    expect(await Promise.all(reads)).toEqual(["E_ABORTED", "E_ABORTED"]);
    expect(floatsOf(backend.readSync(free))).toEqual([2, 2, 2, 2]);
  });
  test("sync rejects with an error that nobody read, once", async () => {
    const backend = open();
    const loop = backend.bind(backend.compile(whileProgram(Number.POSITIVE_INFINITY)), [4]);
    const zeros = upload(backend, 0, 0, 0, 0);
    const [x] = backend.run(loop, [zeros, zeros], []);
    const synced = codeOf(() => backend.sync());
    backend.cancel(x!);
    expect(await synced).toBe("E_ABORTED");
    expect(await codeOf(() => backend.sync())).toBeUndefined();
  });
  test("an error that nobody can read any more is logged", async () => {
    const warnings: string[] = [];
    tf.setLogger({ warn: (text) => warnings.push(text) });
    const backend = open();
    const loop = backend.bind(backend.compile(whileProgram(Number.POSITIVE_INFINITY)), [4]);
    const zeros = upload(backend, 0, 0, 0, 0);
    const results = backend.run(loop, [zeros, zeros], []);
    backend.cancel(results[0]!);
    for (const buf of results) backend.free(buf);
    while (warnings.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([expect.stringMatching(/^W_LOST_ERROR: .*cancelled/)]);
    tf.setLogger();
  });
});

test("what a program prints is logged", async () => {
  const lines: string[] = [];
  tf.setLogger({ info: (text) => lines.push(text) });
  tf.registerBackend("cpu", () => open());
  const f = tf.fn((x: tf.Tensor) => tf.add(tf.print(tf.neg(x), "inside"), 1));
  f(tf.tensor([1, 2]));
  tf.print(tf.tensor([5]), "outside");
  await tf.sync();
  tf.setLogger();
  expect(lines).toEqual(["inside float32[2] [-1, -2]", "outside float32[1] [5]"]);
});

describe("memory", () => {
  test("a limit is E_MEMORY, also after looking for what is dead", async () => {
    const backend = createCpuBackend({ memoryLimit: 1 << 20 });
    const bytes = new Uint8Array(600_000);
    const buf = backend.upload(bytes, vector);
    expect(await codeOf(() => backend.upload(bytes, vector))).toBe("E_MEMORY");
    backend.free(buf);
    expect(await codeOf(() => backend.upload(bytes, vector))).toBeUndefined();
    backend.close();
  });
  test("an allocation that fails frees what nobody holds, and succeeds", () => {
    const backend = createCpuBackend({ memoryLimit: 1 << 20 });
    const bytes = new Uint8Array(300_000);
    for (let i = 0; i < 20; i++) backend.reclaimer.page({}, [backend.upload(bytes, vector)]);
    expect(backend.stats().liveBuffers).toBeLessThanOrEqual(3);
    backend.close();
  });
  test("a page frees its tensors in the job in which its token died, but none twice, and none of a reused place", () => {
    const backend = open();
    const kept = {};
    backend.reclaimer.page(kept, [upload(backend, 1, 1, 1, 1)]);
    const place = upload(backend, 2, 2, 2, 2);
    backend.reclaimer.page({}, [place, upload(backend, 3, 3, 3, 3)]);
    backend.free(place);
    const reused = upload(backend, 4, 4, 4, 4);
    backend.reclaimer.relieve();
    expect(backend.stats().liveBuffers).toBe(2);
    expect(floatsOf(backend.readSync(reused))).toEqual([4, 4, 4, 4]);
    expect(kept).toEqual({});
  });
  test("a synchronous loop of garbage stays small", () => {
    const backend = open();
    const { reclaimer } = backend;
    const add = backend.bind(backend.compile(addProgram), [65_536]);
    const arg = backend.upload(bytesOf(...new Array<number>(65_536).fill(1)), vector);
    let allocated = 0;
    for (let i = 0; i < 3000; i++) {
      reclaimer.page({}, [backend.run2(add, arg, arg)]);
      allocated += 4 * 65_536;
      if (allocated < reclaimer.due) continue;
      allocated = 0;
      reclaimer.pressure();
    }
    // 786 MB were made.
    expect(backend.stats().peakBytes).toBeLessThan(100e6);
    reclaimer.relieve();
    expect(backend.stats().liveBuffers).toBe(1);
  });
});
