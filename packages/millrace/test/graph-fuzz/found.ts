// Graphs that once gave something else in one of the ways, made small. The seed is that of the day they were found: a
// generator that knows more ops makes other graphs of it.
import { findOp, type Graph, GraphBuilder, type Value } from "@millrace/core/graph";
import { type HostVal, hostVal } from "../../../core/src/testing/host.js";
import type { TypedArray } from "../../../core/src/types/dtype.js";
import type { Example } from "./generate.js";
import type { Mode } from "./lanes.js";

/** A graph as the fuzzer prints it. */
function example(mode: Mode, inputs: readonly TypedArray[], build: (b: GraphBuilder) => readonly Value[]): Example {
  const graph = region(build);
  return { mode, graph, inputs: graph.params.map((p, i) => inputOf(p, inputs[i]!)) };
}

function region(build: (b: GraphBuilder) => readonly Value[]): Graph {
  const b = new GraphBuilder();
  return b.finish(build(b));
}

function inputOf({ aval: { dtype, shape } }: Value, data: TypedArray): HostVal {
  return hostVal({ dtype, shape: shape.map(Number), data });
}

/** By seed: what it was, and the graph. */
export const found: Readonly<Record<string, () => Example>> = {
  // A slice from 0 on counted as a read of the whole: a loop over the slice stored a value of which it computed a part.
  "47: a value whose first slice is read before the others": () =>
    example("exact", [Float32Array.of(1, 2, 3, 4)], (b) => {
      const x = b.param({ dtype: "float32", shape: [4] });
      const y = b.apply(findOp("add")!, [x, x]);
      const first = b.apply(findOp("slice")!, y, { start: [0], limit: [1], strides: [1] });
      const last = b.apply(findOp("slice")!, y, { start: [3], limit: [4], strides: [1] });
      return b.apply(findOp("concat")!, [b.apply(findOp("neg")!, first)[0]!, b.apply(findOp("abs")!, last)[0]!], {
        axis: 0,
      });
    }),
  // A slice of a constant that gives nothing was folded although its start was a symbol.
  "667: an empty slice of a constant from a size on": () =>
    example("exact", [Int32Array.of(1, 2)], (b) => {
      const x = b.param({ dtype: "int32", shape: [2] });
      const constant = b.apply(findOp("constant")!, [], {
        dtype: "int32",
        shape: [4],
        data: Int32Array.of(1, 2, 3, 4),
      });
      const nothing = b.apply(findOp("slice")!, constant, { start: [2], limit: [2], strides: [1] });
      return [x, ...nothing];
    }),
  // What a composite is made of held regions that said they were traced, not lowered.
  "17: the regions of a decomposition": () =>
    example("exact", [Float32Array.of(1, 2)], (b) => {
      const x = b.param({ dtype: "float32", shape: [2] });
      const body = region((r) => {
        const row = r.param({ dtype: "float32", shape: [] });
        return r.apply(findOp("relu")!, [row]);
      });
      return b.apply(findOp("scan")!, [x], { carried: 0, scanned: 1, length: 2, reverse: false }, [body]);
    }),
};
