// What the compiler makes of a step: `node bench/schedule.mjs [--records] [CASES…]` prints for each of d, e, f, g and i the
// sizes of graph, program and arena, and the time of each part of the first call; with --records the program too. With
// --scaling it prints how the time to compile grows with the depth of an MLP, and what binding takes a slot.
import process from "node:process";
import { decodeProgram, encodeProgram } from "@millrace/core/backend";
import {
  engine,
  findOp,
  flattenStructure,
  optimize,
  schedule,
  symbolsOfGraph,
  traceFunction,
} from "@millrace/core/graph";
import * as tf from "millrace";
import { gpt } from "./lib/gpt.mjs";
import { mobileNetV2 } from "./lib/mobilenet.mjs";
import { stepOf, trainings } from "./lib/training.mjs";

/** A training step of a model on random data. */
function training({ batch, shape, layers }) {
  const step = stepOf(tf.sequential({ layers: layers() }));
  return { step, args: [tf.randomUniform([batch, ...shape]), tf.randomUniformInt([batch], 0, 10)] };
}

/** By case a function and its arguments. */
const steps = {
  d: () => training(trainings.d),
  e: () => training(trainings.e),
  f() {
    const { model, tokens, next, compile } = gpt();
    return { step: stepOf(model, compile), args: [tokens, next] };
  },
  g() {
    const model = mobileNetV2();
    return { step: (x) => model.apply(x, { training: false }), args: [tf.randomUniform([1, 224, 224, 3], -1, 1)] };
  },
  i: () => training(trainings.i),
};

const flags = process.argv.slice(2).filter((a) => a.startsWith("--"));
const names = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const { backend } = engine.defaultDevice();
const claims = (op, ins, attrs) => findOp(op.name) === op && backend.claims(op, ins, attrs);

const report = [];

/** Runs a part and notes its milliseconds. */
function timed(name, f) {
  const start = process.hrtime.bigint();
  const value = f();
  report.push([`${name} ms`, (Number(process.hrtime.bigint() - start) / 1e6).toFixed(1)]);
  return value;
}
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(2);

/** Everything about one case, as rows of name and value. */
function measure(name) {
  report.length = 0;
  const { step, args } = steps[name]();
  const leaves = [];
  const template = flattenStructure(args, leaves);
  const avals = leaves.map((x) => x.aval);
  const traced = timed("trace", () => traceFunction(step, undefined, template, avals).graph);
  const lowered = timed("passes", () => optimize(traced, claims));
  const program = timed("schedule", () => schedule(lowered, [...symbolsOfGraph(lowered)], { fusion: true }));
  const bytes = timed("encode", () => encodeProgram(program));
  const exe = timed("compile", () => backend.compile(bytes, 0));
  const bound = timed("bind", () => backend.bind(exe, []));
  const bind = Number(report.at(-1)[1]) * 1000;
  // All of it again, and what a run takes: of a process that is warm.
  const step2 = tf.fn(step);
  timed("first call", () => step2(...args).dataSync());
  timed("next call", () => step2(...args).dataSync());
  const { records, slots } = program.root;
  const loops = records.filter((r) => r.kind === "loop");
  const { arena, live } = backend.native.signature(bound);
  return [
    ["nodes traced", traced.nodes.length],
    ["nodes lowered", lowered.nodes.length],
    ["library records", records.filter((r) => r.kind === "library").length],
    ["loops", loops.length],
    ["instructions", loops.reduce((n, r) => n + r.instructions.length, 0)],
    ["slots", slots.length],
    ["program KB", (bytes.length / 1024).toFixed(0)],
    ["arena MB", megabytes(arena)],
    ["live MB", megabytes(live)],
    ["arena / live", (arena / Math.max(1, live)).toFixed(3)],
    ["bind µs a slot", (bind / slots.length).toFixed(2)],
    ...report,
    ...(flags.includes("--records") ? [["records", `\n${printProgram(decodeProgram(bytes)).join("\n")}`]] : []),
  ];
}

/** A line a record: sizes, what is read and written, and bytes. */
function printProgram({ exprs, root, constants }) {
  const size = (e) => (exprs[e].kind === "constant" ? exprs[e].value : exprs[e].kind === "symbol" ? "?" : "…");
  const bits = { float32: "f", float64: "d", int32: "i", int64: "l", uint8: "u", bool: "b" };
  const aval = (s) => `${bits[root.slots[s].dtype]}[${root.slots[s].dims.map(size)}]`;
  const slot = (s) => `%${s}:${aval(s)}${s < root.params ? "P" : ""}${root.results.includes(s) ? "R" : ""}`;
  return records(root.records);
  function records(all) {
    return all.map((r, n) => {
      if (r.kind === "constant") return `${n} constant ${slot(r.slot)} ${constants[r.constant].length} bytes`;
      if (r.kind === "alias") return `${n} alias ${slot(r.from)} -> ${slot(r.to)}`;
      if (r.kind === "library") {
        const attrs = [...r.attrs].map(([k, v]) => `${k}=${JSON.stringify(v)}`).join(" ");
        return `${n} ${r.op} ${r.ins.map(slot).join(" ")} -> ${r.outs.map(slot).join(" ")} {${attrs}}`;
      }
      const loads = r.loads.map((l) => `${slot(l.slot)}+${size(l.offset)}/${l.strides.map(size)}`).join(" ");
      const value = (v) => (v < r.loads.length ? `l${v}` : `${v - r.loads.length}`);
      const code = r.instructions.map((i, k) => `${k}=${i.op}(${i.args.map(value)})`).join(" ");
      const stores = r.stores.map(
        (s) => `${slot(s.slot)}=${s.reduce ? `${s.reduce.op}:${s.reduce.mask} ` : ""}${value(s.value)}`,
      );
      return `${n} loop[${r.extents.map(size)}] loads ${loads}\n      ${code}\n      stores ${stores.join(" ")}`;
    });
  }
}

/** The least milliseconds of processor time of a few calls. */
function leastTime(f) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = process.cpuUsage();
    f();
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1e3);
  }
  return least;
}

/**
 * Nodes and milliseconds of each part of compiling, for MLPs of 16, 32, 64 … layers; how many times those of the net before;
 * and what binding takes a slot.
 */
function scaling() {
  let before;
  for (const depth of [16, 32, 64, 128, 256]) {
    const layers = () => Array.from({ length: depth }, () => tf.layers.dense({ units: 8, activation: "tanh" }));
    const input = tf.layers.dense({ units: 8, inputShape: [8] });
    const { step, args } = training({
      batch: 4,
      shape: [8],
      layers: () => [input, ...layers(), tf.layers.dense({ units: 10 })],
    });
    const leaves = [];
    const template = flattenStructure(args, leaves);
    const avals = leaves.map((x) => x.aval);
    const { graph } = traceFunction(step, undefined, template, avals);
    const lowered = optimize(graph, claims);
    const program = schedule(lowered, [], { fusion: true });
    const bytes = encodeProgram(program);
    const exe = backend.compile(bytes, 0);
    const parts = {
      trace: () => traceFunction(step, undefined, template, avals),
      passes: () => optimize(graph, claims),
      schedule: () => schedule(lowered, [], { fusion: true }),
      encode: () => encodeProgram(program),
      bind: () => backend.releaseBound(backend.bind(exe, [])),
    };
    const times = Object.entries(parts).map(([name, f]) => [name, leastTime(f)]);
    const sum = times.reduce((total, [, ms]) => total + ms, 0);
    const [nodes, slots] = [lowered.nodes.length, program.root.slots.length];
    const listed = times.map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join(", ");
    const bind = (1e3 * times.at(-1)[1]) / slots;
    const growth = before
      ? `; ${(nodes / before.nodes).toFixed(2)} x the nodes, ${(sum / before.sum).toFixed(2)} x the time`
      : "";
    console.log(
      `${depth} layers, ${nodes} nodes, ${slots} slots: ms of ${listed}; ${bind.toFixed(2)} µs a slot to bind${growth}`,
    );
    before = { nodes, sum };
  }
}

if (flags.includes("--scaling")) scaling();
else
  for (const name of names.length > 0 ? names : Object.keys(steps)) {
    console.log(`case ${name}`);
    for (const [label, value] of measure(name)) console.log(`  ${label.padEnd(18)} ${value}`);
  }
