// The addon in workers, loaded again, and at the end of a process while a program runs: in processes of their own.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import process from "node:process";
import { addProgram, whileProgram } from "./helpers.js";

const addon = createRequire(import.meta.url).resolve("@millrace/cpu-native");

const prelude = `
  const { Worker, isMainThread, parentPort, workerData } = require("node:worker_threads");
  const { createContext } = require(${JSON.stringify(addon)});
  const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
  const program = { add: bytes("${base64(addProgram)}"), endless: bytes("${base64(whileProgram(Number.POSITIVE_INFINITY))}") };
  const vector = (context, value) => context.upload(new Float32Array(8).fill(value));
  const bound = (context, name) => context.bind(context.compile(program[name]), Float64Array.of(8));
  const start = (context) => {
    const zeros = vector(context, 0);
    const results = new Int32Array(2);
    context.run(bound(context, "endless"), Int32Array.of(zeros, zeros), 2, new Int32Array(0), 0, results);
    return results[0];
  };
  const sum = (context) => context.readSync(context.run2(bound(context, "add"), vector(context, 1), vector(context, 2)));
  const first = (bytes) => new Float32Array(bytes.buffer)[0];
`;

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Runs a script in a process of its own; its last line of output comes back. */
function run(script: string): string {
  const done = spawnSync(process.execPath, ["-e", prelude + script], { encoding: "utf8", timeout: 60_000 });
  return done.status === 0 ? done.stdout.trim() : `exit ${done.status ?? done.signal}: ${done.stderr}`;
}

test("workers have contexts of their own", () => {
  const script = `
    if (isMainThread) {
      const code = ${JSON.stringify(prelude)} + "parentPort.postMessage(first(sum(createContext())))";
      const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true }));
      Promise.all(workers.map((w) => new Promise((resolve, reject) => w.on("message", resolve).on("error", reject))))
        .then((sums) => console.log([...sums, first(sum(createContext()))].join()));
    }`;
  expect(run(script)).toBe("3,3,3,3");
});

test("a worker is terminated while its program runs", () => {
  const script = `
    const code = ${JSON.stringify(prelude)} + "start(globalThis.c = createContext()); parentPort.postMessage(0)";
    const worker = new Worker(code, { eval: true });
    worker.on("message", () => worker.terminate().then(() => console.log("terminated", first(sum(createContext())))));`;
  expect(run(script)).toBe("terminated 3");
});

test("a worker is terminated while it waits for a program that does not end", () => {
  const wait = {
    readSync: "context.readSync(start(context))",
    syncSync: "start(context); context.syncSync()",
    "a full queue": "for (;;) start(context)",
  };
  const waits = Object.values(wait).map(
    (code) => `parentPort.postMessage(0); const context = createContext(); ${code}`,
  );
  const script = `
    const ended = (code) => new Promise((resolve) => {
      const worker = new Worker(${JSON.stringify(prelude)} + code, { eval: true });
      worker.on("message", () => setTimeout(() => worker.terminate().then(resolve), 100));
    });
    Promise.all(${JSON.stringify(waits)}.map(ended)).then((codes) => console.log(codes.join()));`;
  expect(run(script)).toBe("1,1,1");
});

test("a process exits while a program runs", () => {
  expect(run(`start(createContext()); console.log("exits"); process.exit(0)`)).toBe("exits");
});

test("a program that nobody awaits does not keep the process alive", () => {
  expect(run(`start(createContext()); console.log("ends")`)).toBe("ends");
});

test("an awaited read keeps the process alive until it is settled", () => {
  const script = `
    const context = createContext();
    const result = start(context);
    context.read(result).catch((error) => console.log(error.code));
    setImmediate(() => context.cancel(result, ""));`;
  expect(run(script)).toBe("E_ABORTED");
});

test("the addon is loaded twice", () => {
  const script = `
    const path = require("node:path");
    const fs = require("node:fs");
    const copy = fs.readdirSync(path.dirname(${JSON.stringify(addon)})).find((name) => name.endsWith(".node"));
    const file = path.join(path.dirname(${JSON.stringify(addon)}), copy);
    const again = path.join(fs.mkdtempSync(path.join(require("node:os").tmpdir(), "addon-")), copy);
    fs.copyFileSync(file, again);
    delete require.cache[require.resolve(${JSON.stringify(addon)})];
    const reloaded = require(${JSON.stringify(addon)});
    const other = require(again);
    console.log([createContext, reloaded.createContext, other.createContext].map((create) => first(sum(create()))).join());`;
  expect(run(script)).toBe("3,3,3");
});

test("contexts that nobody holds are collected, queue and all", () => {
  const script = `
    require("node:v8").setFlagsFromString("--expose-gc");
    const gc = require("node:vm").runInNewContext("gc");
    const threads = () => require("node:fs").readdirSync("/proc/self/task").length;
    const round = () => { for (let i = 0; i < 20; i++) { const c = createContext(); c.cancel(start(c), ""); sum(c); } };
    (async () => {
      round();
      const before = threads();
      for (let i = 0; i < 5; i++) { round(); gc(); await new Promise(setImmediate); gc(); await new Promise(setImmediate); }
      console.log(threads() <= before);
    })();`;
  expect(run(script)).toBe("true");
});

test("no arguments, however wrong, do more than throw", () => {
  const script = `
    const context = createContext(1 << 26);
    const add = bound(context, "add");
    const handles = [vector(context, 1), vector(context, 2)];
    const detached = new Int32Array(8);
    structuredClone(detached, { transfer: [detached.buffer] });
    const odd = [
      undefined, null, true, NaN, -1, -0, 0.5, 1, 2 ** 31, 2 ** 53, 1e300, "", "add", "x".repeat(1000), 7n, Symbol("s"), {}, [],
      () => 0, new Proxy({}, {}), new Date(), new ArrayBuffer(8), new SharedArrayBuffer(8), new DataView(new ArrayBuffer(3)),
      new Uint8Array(0), new Uint8Array(100), new Int32Array(2), Int32Array.from(handles), new Float64Array(1), Float64Array.of(8),
      new Float64Array([1e300]), new Int32Array(new SharedArrayBuffer(16)), new BigInt64Array(2), detached, program.add, add, ...handles,
    ];
    let state = 12345;
    const random = (n) => (state = (state * 1103515245 + 12345) % 2 ** 31) % n;
    const names = Object.keys(context).filter((name) => name !== "close" && name !== "onMessage");
    let thrown = 0;
    for (let i = 0; i < 100_000; i++) {
      const args = Array.from({ length: random(7) }, () => odd[random(odd.length)]);
      try {
        const made = context[names[random(names.length)]](...args);
        if (made instanceof Promise) made.catch(() => {});
      } catch (error) {
        if (typeof error.code !== "string" || error.code === "E_INTERNAL") throw error;
        thrown++;
      }
    }
    console.log(thrown > 10_000, first(sum(createContext())));`;
  expect(run(script)).toBe("true 3");
});
