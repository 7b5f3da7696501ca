// A smaller graph that fails in the same way.
import { evaluateGraph, GraphBuilder, type Node, type Value } from "@millrace/core/graph";
import { applyHost, type HostVal } from "../../../core/src/testing/host.js";
import type { Example } from "./generate.js";

/** Makes an example smaller for as long as `fails` holds of it. */
export function shrink(example: Example, fails: (smaller: Example) => boolean): Example {
  let best = example;
  for (;;) {
    const smaller = candidates(best).find(fails);
    if (!smaller) return best;
    best = smaller;
  }
}

/** Smaller examples: one result alone, a node's results as inputs, what a result was made of in its place. */
function candidates(example: Example): Example[] {
  const { results, nodes } = example.graph;
  const computed = valuesOf(example);
  const part = (ends: readonly Value[], cut?: Node): Example => partOf(example, computed, ends, cut);
  const alone = results.length > 1 ? results.map((y) => part([y])) : [];
  const cut = [...nodes].reverse().flatMap((node) => (node.inputs.length > 0 ? [part(results, node)] : []));
  const before = results.flatMap((y, i) => {
    if (!y.node || y.node.inputs.length === 0) return [];
    return [part([...results.slice(0, i), ...y.node.inputs, ...results.slice(i + 1)])];
  });
  return [...alone, ...cut, ...before];
}

/** What each node of an example gives. */
function valuesOf({ graph, inputs }: Example): ReadonlyMap<Node, readonly HostVal[]> {
  const computed = new Map<Node, readonly HostVal[]>();
  let place = 0;
  evaluateGraph<HostVal>(graph, inputs, (op, ins, attrs, regions) => {
    const outs = applyHost(op, ins, attrs, regions);
    computed.set(graph.nodes[place++]!, outs);
    return outs;
  });
  return computed;
}

/** The part of a graph that some values need; what the node `cut` gives become inputs. */
function partOf(
  { mode, graph, inputs }: Example,
  computed: ReadonlyMap<Node, readonly HostVal[]>,
  ends: readonly Value[],
  cut?: Node,
): Example {
  const builder = new GraphBuilder();
  const kept: HostVal[] = [];
  const params = new Map<Value, Value>();
  const made = new Map<Node, readonly Value[]>();
  const input = (v: Value): Value => {
    kept.push(v.node ? computed.get(v.node)![v.index]! : inputs[graph.params.indexOf(v)]!);
    const p = builder.param(v.aval);
    params.set(v, p);
    return p;
  };
  const read = (v: Value): Value => {
    const { node } = v;
    if (node === null || node === cut) return params.get(v) ?? input(v);
    if (!made.has(node)) made.set(node, builder.apply(node.op, node.inputs.map(read), node.attrs, node.regions));
    return made.get(node)![v.index]!;
  };
  const results = ends.map(read);
  return { mode, graph: builder.finish(results), inputs: kept };
}
