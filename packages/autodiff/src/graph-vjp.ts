import {
  evaluateGraph,
  fillLike,
  type Graph,
  GraphBuilder,
  isFloat,
  makeOps,
  remember,
  sharedSites,
  transforms,
  type Value,
} from "@millrace/core/graph";
import { type Application, type ApplyOp, backward, seedsOf } from "./backward.js";

const known = new WeakMap<Graph, Graph>();

/**
 * The gradient of a graph: it takes the graph's parameters and a cotangent for each float result, and gives a cotangent
 * for each float parameter. The forward part is computed anew; what the gradient does not need of it is dropped later.
 */
export function vjpGraph(graph: Graph): Graph {
  return remember(known, graph, () => build(graph));
}

function build(graph: Graph): Graph {
  const builder = new GraphBuilder();
  const params = graph.params.map((p) => builder.param(p.aval));
  for (const guard of graph.guards) builder.guard(guard);
  const apply: ApplyOp<Value> = (op, ins, attrs, regions) => builder.apply(op, ins, attrs, regions, sharedSites());
  const applications: Application<Value>[] = [];
  const results = evaluateGraph<Value>(graph, params, (op, ins, attrs, regions, sites) => {
    const outs = builder.apply(op, ins, attrs, regions, sites);
    applications.push({ op, ins, attrs, regions, outs });
    return outs;
  });
  const cotangents = results.map((y) => (isFloat(y) ? builder.param(y.aval) : null));
  const sources = params.filter(isFloat);
  const found = backward(applications, seedsOf(results, cotangents, apply), sources, apply);
  const b = makeOps<Value>(apply);
  // boundary: b is over Values
  return builder.finish(sources.map((x) => found.get(x) ?? (fillLike(b, x, 0) as Value)));
}

/** Gives the rules of control flow in core the gradient of a graph. */
export function connectTransforms(): void {
  transforms.current = { vjp: vjpGraph };
}
