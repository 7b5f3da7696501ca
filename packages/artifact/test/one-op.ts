// An artifact of one op for samples of every op of core, in every dtype: what a fuzz begins with.
import type * as tf from "@millrace/core";
import { dtypes, isMillraceError, type NamedFunction } from "@millrace/core";
import { type Graph, GraphBuilder, symbol } from "@millrace/core/graph";
import * as tables from "../../core/src/ops/cases.gen.js";
import { artifactFiles } from "../src/index.js";

type Cases = (typeof tables)[keyof typeof tables];
type Sample = Cases["samples"][number];

/** Of each op, up to so many; every other one has open sizes. */
const perOp = 12;

export async function oneOpArtifacts(): Promise<ReadonlyMap<string, Uint8Array>[]> {
  const graphs = Object.values(tables).flatMap((table: Cases) => {
    const small = table.samples.filter((sample: Sample) => sample.ins.flat().every((d) => d < 100));
    const all = small.flatMap((sample: Sample) =>
      Object.keys(dtypes).map((dtype) => [sample, dtype as tf.DType] as const),
    );
    const legal = all.flatMap(([sample, dtype], i) => graphOf(table.op, sample, dtype, i % 2 === 1) ?? []);
    return legal.slice(0, perOp);
  });
  return Promise.all(graphs.map((graph) => artifactFiles([functionOf(graph)])));
}

function graphOf(op: Cases["op"], sample: Sample, dtype: tf.DType, isOpen: boolean): Graph | undefined {
  const builder = new GraphBuilder();
  const params = sample.ins.map((shape, i) => {
    const own = sample.dtypes?.[i] ?? "*";
    return builder.param({
      dtype: own === "*" ? dtype : own,
      shape: shape.map((d) => (isOpen && d > 2 ? symbol(`n${d}`, 1) : d)),
    });
  });
  try {
    return builder.finish(builder.apply(op, params, sample.attrs));
  } catch (error) {
    if (isMillraceError(error)) return undefined;
    throw error;
  }
}

function functionOf(graph: Graph): NamedFunction {
  const inputs = graph.params.map((_, i) => `x${i}`);
  return { name: "f", graph, inputs, outputs: graph.results.map((_, i) => `y${i}`), weights: [] };
}
