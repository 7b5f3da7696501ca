// What every backend promises, beside running every op of core right.
import type { Aval } from "../ir/aval.js";
import { symbol } from "../ir/dim.js";
import { GraphBuilder, type Value } from "../ir/graph.js";
import { bytesOf, viewAs } from "../ir/host.js";
import type { AnyOp } from "../ir/op.js";
import { addOp } from "../ops/binary/arithmetic.js";
import * as tables from "../ops/cases.gen.js";
import { optimize } from "../passes/pipeline.js";
import type { Backend, Buf } from "../runtime/backend.js";
import { encodeProgram } from "../schedule/encode.js";
import { schedule, symbolsOfGraph } from "../schedule/schedule.js";
import { type DType, dtypes } from "../types/dtype.js";
import { type ErrorCode, isMillraceError } from "../types/errors.js";
import { expectSame, fail } from "./compare.js";
import { randomArray, randomOf } from "./data.js";
import { Runner } from "./forward.js";
import { type HostVal, hostVal } from "./host.js";
import { type Check, testOpOn } from "./op.js";

/**
 * Everything that a backend promises, as checks: every op of core on its edges and samples, in every dtype, eager and as
 * a graph; and what the interface says of buffers, programs, sizes and errors.
 *
 *     for (const check of testBackend(new MyBackend())) test(check.name, check.run);
 */
export function testBackend(backend: Backend): Check[] {
  const runner = new Runner(backend);
  const ops = Object.values(tables).flatMap((table) =>
    testOpOn(table, runner).map((check) => ({ name: `${table.op.name}: ${check.name}`, run: check.run })),
  );
  return [...contract.map(([name, run]) => ({ name, run: async () => run(backend) })), ...ops];
}

const vector: Aval = { dtype: "float32", shape: [4] };
const floatsOf = (...values: number[]): HostVal =>
  hostVal({ dtype: "float32", shape: [values.length], data: Float32Array.from(values) });

const upload = (backend: Backend, x: HostVal): Buf => backend.upload(bytesOf(x.data), x.aval, 0);

async function read(backend: Backend, buf: Buf, { dtype, shape }: Aval): Promise<HostVal> {
  const bytes = await backend.read(buf);
  return hostVal({ dtype, shape: shape.map(Number), data: viewAs(dtype, bytes) });
}

/** A program that applies an op of two operands of one shape. */
function programOf(backend: Backend, op: AnyOp, aval: Aval): Uint8Array {
  const builder = new GraphBuilder();
  const results: readonly Value[] = builder.apply(op, [builder.param(aval), builder.param(aval)]);
  const graph = builder.finish(results);
  const lowered = optimize(graph, (inner, ins, attrs) => backend.claims(inner, ins, attrs));
  return encodeProgram(schedule(lowered, [...symbolsOfGraph(graph)], { fusion: backend.fusion }));
}

/** Holds that `run` fails with one of the codes, and not in another way. */
async function expectError(what: string, codes: readonly ErrorCode[], run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (isMillraceError(error) && codes.includes(error.code)) return;
    fail(`${what}: threw ${error}, not a MillraceError with ${codes.join(" or ")}`);
  }
  fail(`${what}: is accepted`);
}

const contract: readonly (readonly [name: string, run: (backend: Backend) => void | Promise<void>])[] = [
  [
    "has at least one device, called by its name and number",
    (backend) => {
      const names = backend.devices().map(({ name }) => name);
      if (names.length === 0 || new Set(names).size < names.length) fail(`devices are ${names}`);
      for (const name of names) if (!/^[a-z][\w-]*:\d+$/.test(name)) fail(`${name} is no name such as cpu:0`);
    },
  ],
  [
    "reads back what was uploaded, in every dtype and of any size",
    async (backend) => {
      for (const dtype of Object.keys(dtypes) as DType[]) {
        for (const shape of [[], [0], [3], [2, 17], [1025]]) {
          const x = randomArray(randomOf(`${dtype} ${shape}`), dtype, shape);
          const buf = upload(backend, x);
          expectSame(`${dtype}[${shape}]`, await read(backend, buf, x.aval), x, undefined, true);
          if (backend.readSync) {
            const now = hostVal({ dtype, shape, data: viewAs(dtype, backend.readSync(buf)) });
            expectSame(`${dtype}[${shape}] at once`, now, x, undefined, true);
          }
          backend.free(buf);
        }
      }
    },
  ],
  [
    "keeps its own copy of what was uploaded, and gives copies",
    async (backend) => {
      const x = floatsOf(1, 2, 3, 4);
      const buf = upload(backend, x);
      x.data[0] = 9;
      const first = await read(backend, buf, vector);
      first.data[1] = 9;
      expectSame("buffer", await read(backend, buf, vector), floatsOf(1, 2, 3, 4));
      backend.free(buf);
    },
  ],
  [
    "knows that a freed buffer is gone, also after its place is taken again",
    async (backend) => {
      const buf = upload(backend, floatsOf(1, 2, 3, 4));
      backend.free(buf);
      const next = upload(backend, floatsOf(5, 6, 7, 8));
      await expectError("reading a freed buffer", ["E_DISPOSED"], () => backend.read(buf));
      backend.free(buf);
      expectSame("the buffer in its place", await read(backend, next, vector), floatsOf(5, 6, 7, 8));
      backend.free(next);
    },
  ],
  [
    "serves every size with one program, and wants a size for each symbol",
    async (backend) => {
      const exe = backend.compile(programOf(backend, addOp, { dtype: "float32", shape: [symbol("n", 2)] }), 0);
      for (const n of [2, 7, 1025]) {
        const [x, y] = ["a", "b"].map((name) => randomArray(randomOf(name), "float32", [n]));
        const bound = backend.bind(exe, [n]);
        const args = [upload(backend, x!), upload(backend, y!)];
        const [out] = backend.run(bound, args, []);
        const want = hostVal({
          ...x!,
          data: Float32Array.from(x!.data as Float32Array, (e, i) => e + Number(y!.data[i])),
        });
        expectSame(`add of two [${n}]`, await read(backend, out!, want.aval), want);
        for (const buf of [...args, out!]) backend.free(buf);
        backend.releaseBound(bound);
      }
      await expectError("too few sizes", ["E_ARGUMENT"], () => backend.bind(exe, []));
      backend.releaseExecutable(exe);
    },
  ],
  [
    "says what is live of each origin, where it knows origins",
    (backend) => {
      const { origins } = backend;
      if (!origins) return;
      const liveOf = (origin: number): string => {
        const row = [...origins.live()].find((it) => it.origin === origin);
        return row ? `${row.buffers} × ${row.bytes / row.buffers}` : "none";
      };
      const same = (what: string, got: string, want: string): void => {
        if (got !== want) fail(`${what}: ${got} are live, not ${want}`);
      };
      const exe = backend.compile(programOf(backend, addOp, vector), 0);
      const bound = backend.bind(exe, []);
      // Numbers that nobody else has given.
      const [a, b, c] = [2 ** 52, 2 ** 52 + 1, 2 ** 52 + 2];
      const args = [upload(backend, floatsOf(1, 2, 3, 4)), upload(backend, floatsOf(1, 2, 3, 4))];
      origins.set(args[0]!, a);
      origins.setBound(bound, b);
      const outs = [...backend.run(bound, args, []), ...backend.run(bound, args, [])];
      same("uploaded", liveOf(a), "1 × 16");
      same("results", liveOf(b), "2 × 16");
      origins.set(outs[0]!, c, b);
      origins.set(outs[1]!, c, a);
      same("results, one of which is of another origin now", liveOf(b), "1 × 16");
      same("that one", liveOf(c), "1 × 16");
      backend.releaseBound(bound);
      same("results of a bound that was given back", liveOf(b), "1 × 16");
      for (const buf of [...args, ...outs]) backend.free(buf);
      for (const origin of [a, b, c]) same("freed", liveOf(origin), "none");
      backend.releaseExecutable(exe);
    },
  ],
  [
    "leaves arguments as they were, and may take over those that are donated",
    async (backend) => {
      const exe = backend.compile(programOf(backend, addOp, vector), 0);
      const bound = backend.bind(exe, []);
      const args = [upload(backend, floatsOf(1, 2, 3, 4)), upload(backend, floatsOf(10, 20, 30, 40))];
      const [kept] = backend.run(bound, args, []);
      expectSame("argument", await read(backend, args[0]!, vector), floatsOf(1, 2, 3, 4));
      const [given] = backend.run(bound, args, [0]);
      for (const out of [kept!, given!]) expectSame("sum", await read(backend, out, vector), floatsOf(11, 22, 33, 44));
      // Core frees a variable's old buffer, donated or not: freeing what is gone does nothing.
      for (const buf of [...args, kept!, given!]) backend.free(buf);
      backend.releaseBound(bound);
      backend.releaseExecutable(exe);
    },
  ],
  [
    "refuses what is no program, and a program that was damaged",
    async (backend) => {
      const codes = ["E_FORMAT", "E_VERSION"] as const;
      await expectError("no bytes", codes, () => backend.compile(new Uint8Array(0), 0));
      await expectError("random bytes", codes, () => backend.compile(new Uint8Array(64).fill(7), 0));
      const program = programOf(backend, addOp, vector);
      await expectError("half a program", codes, () => backend.compile(program.slice(0, program.length >> 1), 0));
    },
  ],
  [
    "counts what it holds: live bytes and buffers return to where they were",
    async (backend) => {
      await backend.sync(0);
      const before = backend.stats();
      const bufs = Array.from({ length: 10 }, () => upload(backend, floatsOf(1, 2, 3, 4)));
      const during = backend.stats();
      if (during.liveBuffers !== before.liveBuffers + 10)
        fail(`10 uploads made ${during.liveBuffers - before.liveBuffers} buffers`);
      if (during.liveBytes < before.liveBytes + 160)
        fail(`160 bytes were counted as ${during.liveBytes - before.liveBytes}`);
      for (const buf of bufs) backend.free(buf);
      await backend.sync(0);
      const after = backend.stats();
      if (after.liveBuffers !== before.liveBuffers) fail(`${after.liveBuffers - before.liveBuffers} buffers are left`);
      if (after.liveBytes !== before.liveBytes) fail(`${after.liveBytes - before.liveBytes} bytes are left`);
    },
  ],
];
