// Every op on every sample goes to a file and comes back as the same graph, which makes the same program.
import * as tf from "../../src/index.js";
import { type Attrs, mapAttr } from "../../src/ir/attrs.js";
import type { Aval } from "../../src/ir/aval.js";
import type { Cases } from "../../src/ir/cases.js";
import { type Dim, type SymDim, symbol } from "../../src/ir/dim.js";
import { evaluateGraph, type Graph, GraphBuilder } from "../../src/ir/graph.js";
import { bytesOf } from "../../src/ir/host.js";
import type { AnyOp } from "../../src/ir/op.js";
import { printGraph } from "../../src/ir/print.js";
import * as tables from "../../src/ops/cases.gen.js";
import { optimize } from "../../src/passes/pipeline.js";
import { readArtifact } from "../../src/saved/read.js";
import { writeArtifact } from "../../src/saved/write.js";
import { encodeProgram } from "../../src/schedule/encode.js";
import { schedule, symbolsOfGraph } from "../../src/schedule/schedule.js";
import { arrayOf, dtypesOf, isVaried, operandsOf } from "../../src/testing/data.js";
import { applyHost, type HostVal } from "../../src/testing/host.js";
import { type DType, dtypes } from "../../src/types/dtype.js";

tf.registerReferenceBackend();

function saved(graph: Graph): Graph {
  const inputs = graph.params.map((_, i) => `x${i}`);
  const outputs = graph.results.map((_, i) => `y${i}`);
  const files = writeArtifact([{ name: "f", graph, inputs, outputs, weights: [] }], new Map());
  return readArtifact(files.get("artifact.json")!, files.get("weights.safetensors")!).functions[0]!.graph;
}

function programOf(graph: Graph): Uint8Array {
  const lowered = optimize(graph, () => false);
  return encodeProgram(schedule(lowered, [...symbolsOfGraph(graph)], { fusion: true }));
}

const run = (graph: Graph, ins: readonly HostVal[]): Uint8Array[] =>
  evaluateGraph(graph, ins, applyHost).map((y) => bytesOf(y.data));

function graphOf(op: AnyOp, avals: readonly Aval[], attrs: Attrs): Graph | undefined {
  const builder = new GraphBuilder();
  const params = avals.map((aval) => builder.param(aval));
  try {
    return builder.finish(builder.apply(op, params, attrs));
  } catch {
    return undefined;
  }
}

/** Sizes from 2 on as symbols, in attributes too where a parameter has the same size. */
function withSymbols(op: AnyOp, avals: readonly Aval[], attrs: Attrs): [readonly Aval[], Attrs] {
  const known = new Map<number, SymDim>();
  const dim = (d: Dim): Dim => {
    if (typeof d !== "number" || d < 2) return d;
    if (!known.has(d)) known.set(d, symbol(`n ${d}`, 2));
    return known.get(d)!;
  };
  const wide = avals.map(({ dtype, shape }) => ({ dtype, shape: shape.map(dim) }));
  const change = (d: number | SymDim): number | SymDim => (typeof d === "number" ? (known.get(d) ?? d) : d);
  const changed = Object.entries(attrs).map(([name, value]) => {
    return [name, op.sizeAttrs?.includes(name) ? mapAttr(value, change) : value] as const;
  });
  return [wide, Object.fromEntries(changed)];
}

const withRegions = ["call", "cond", "customGradient", "recompute", "scan", "whileLoop", "whileLoopBack"];
const all: Cases[] = Object.values(tables).filter(({ op }) => !withRegions.includes(op.name));

test.each(all)("$op.name", ({ op, samples, edges = [] }) => {
  let count = 0;
  const hold = (ins: readonly HostVal[], attrs: Attrs, runs: boolean): boolean => {
    const avals = ins.map((x) => x.aval);
    const graph = graphOf(op, avals, attrs);
    if (!graph) return false;
    count++;
    const back = saved(graph);
    expect(printGraph(back)).toBe(printGraph(graph));
    if (!runs) return true;
    expect(programOf(back)).toEqual(programOf(graph));
    expect(run(back, ins)).toEqual(run(graph, ins));
    const anySize = graphOf(op, ...withSymbols(op, avals, attrs));
    if (!anySize || symbolsOfGraph(anySize).size === 0) return true;
    const back2 = saved(anySize);
    expect(printGraph(back2)).toBe(printGraph(anySize));
    expect(programOf(back2)).toEqual(programOf(anySize));
    return true;
  };
  for (const [i, sample] of samples.entries()) {
    let ran = false;
    const varied = isVaried(sample) ? (Object.keys(dtypes) as DType[]) : (["float32"] as const);
    for (const dtype of varied) {
      if (dtypesOf(sample, dtype).length !== sample.ins.length) continue;
      // A sample runs in the first dtype that the op accepts; the others differ in the text alone.
      ran = hold(operandsOf(sample, dtype, `${op.name} ${i}`), sample.attrs, !ran) || ran;
    }
  }
  for (const edge of edges) {
    const ins = edge.ins.map((content, i) => arrayOf(content, edge.dtypes?.[i] ?? "float32"));
    hold(ins, edge.attrs, true);
  }
  expect(count).toBeGreaterThan(0);
});
