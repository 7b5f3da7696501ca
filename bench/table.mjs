// What is measured, on how many threads, and the bars.
import { median } from "./lib/measure.mjs";

const times = (least, stretch) => [
  { name: "at least", ratio: least },
  { name: "stretch", ratio: stretch },
];
const within = (least, stretch) => [
  { name: "at least", value: least },
  { name: "stretch", value: stretch },
];

/** A step that takes over ten median steps is a stall, the first pass over all lengths included. */
function noStall(cold, ours, peers) {
  const slowest = (lines) => Math.max(...lines.map((line) => line.slowest_ms));
  const beside = peers ? `, ${peers[0].system}'s ${slowest(peers)} ms` : "";
  return {
    name: "no stall",
    text: `slowest step of the first pass ${cold.slowest_ms} ms (batch ${cold.slowest_length}), of later ones ${slowest(ours)} ms${beside}; median step ${cold.median_ms} ms`,
    holds: cold.slowest_ms <= 10 * cold.median_ms,
  };
}

/** What our first call is made of; the medians of the rounds. */
function parts(_cold, ours) {
  const of = (field) => median(ours.map((line) => line[field]));
  return {
    name: "of that",
    text: `tracing ${of("trace_s")} s, compiling ${of("compile_s")} s, running ${of("run_s")} s`,
  };
}

const product = (size) => ({ title: `b SGEMM ${size}`, bars: times(1, 1.05) });
/** Products of a narrow type are held against our own of float32. */
const ownFloat32 = { system: "millrace", task: "b.1024" };

/**
 * By case: the threads; whether the peak of memory counts; the tasks, each with its title, whether less is better (`low`), its
 * bars, what the names of the peers begin with that they are about (`against`), `fresh` where each round is a process of its
 * own, `peer` where our own other task is the peer, and a `check` of the lines.
 */
export const table = {
  a: { threads: [1], tasks: { a: { title: "a eager add [8]", low: true, bars: times(6, 10), against: "torch" } } },
  b: {
    threads: [1, 2],
    tasks: {
      "b.256": product("256"),
      "b.1024": product("1024"),
      "b.2048": product("2048"),
      "b.64": product("64"),
      "b.skinny": product("1×4096×4096"),
      "b.int8": { title: "b int8 1024, to our float32", bars: times(2.5, 3.5), peer: ownFloat32 },
      "b.bf16": { title: "b bfloat16 1024, to our float32", bars: times(1.5, 1.9), peer: ownFloat32 },
    },
  },
  c: {
    threads: [2],
    tasks: {
      "c.tanh": { title: "c gelu(a·b+c) 1e7, tanh", low: true, bars: times(1.1, 1.4) },
      "c.erf": { title: "c gelu(a·b+c) 1e7, erf", low: true, bars: times(1.1, 1.4) },
    },
  },
  d: { threads: [2], memory: true, tasks: { d: { title: "d MLP step", bars: times(1.1, 1.3) } } },
  e: { threads: [2], memory: true, tasks: { e: { title: "e CNN step", bars: times(1.15, 1.3) } } },
  f: { threads: [2], memory: true, tasks: { f: { title: "f GPT step", bars: times(1.1, 1.3) } } },
  g: { threads: [2], tasks: { g: { title: "g MobileNetV2 inference", low: true, bars: times(0.85, 1) } } },
  i: { threads: [2], tasks: { i: { title: "i LSTM step", bars: times(1.2, 1.5) } } },
  eager: {
    threads: [2],
    tasks: {
      "eager.mlp": { title: "eager MLP step", bars: times(1, 1.3), against: "torch" },
      "eager.lengths": {
        ...{ title: "eager steps of 1 to 512 rows", low: true, bars: times(1, 1.3), against: "torch" },
        check: noStall,
      },
    },
  },
  j: {
    threads: [2],
    tasks: {
      "j.time": { title: "j start-up time, core", low: true, bars: within(60, 30) },
      "j.memory": { title: "j start-up memory, core", low: true, bars: within(20, 12) },
      "j.millrace.time": { title: "j start-up time, millrace", low: true },
      "j.millrace.memory": { title: "j start-up memory, millrace", low: true },
    },
  },
  k: {
    threads: [2],
    rounds: 5,
    tasks: {
      k: {
        ...{ title: "k first call of the GPT step", low: true, fresh: true, against: "torch-eager", check: parts },
        bars: [
          { name: "at least", value: 0.3 },
          { name: "stretch", ratio: 1 },
        ],
      },
    },
  },
};
