import type { Attrs } from "./attrs.js";
import { type Aval, formatAval } from "./aval.js";
import type { Guard } from "./dim.js";
import type { Graph, Node, Stage, Value } from "./graph.js";
import { type AnyOp, inferOp } from "./op.js";

/** Which composites a backend runs whole, on these operands. It sees ranks, dtypes and attributes, never bound sizes. */
export type Claims = (op: AnyOp, ins: readonly Aval[], attrs: Attrs) => boolean;

/**
 * Says what is illegal about a graph at a stage; an empty list is a legal graph. Tests run it after every pass.
 * G1 every value is made before it is used, in the same graph · G2 outputs are what `infer` says · G3 a lowered graph holds
 * primitives and claimed composites only · G4 regions are closed and legal · G5 the graph is frozen and says its stage.
 */
export function verify(graph: Graph, stage: Stage, claims: Claims = () => false): string[] {
  const problems: string[] = [];
  if (graph.stage !== stage) problems.push(`G5: the graph says ${graph.stage}, not ${stage}`);
  if (!Object.isFrozen(graph) || !graph.nodes.every(Object.isFrozen)) problems.push("G5: the graph is not frozen");
  const params = new Set<Value>(graph.params);
  const made = new Set<Node>();
  const known = (v: Value): boolean => (v.node ? made.has(v.node) && v.index < v.node.outs.length : params.has(v));
  for (const node of graph.nodes) {
    const { name } = node.op;
    node.inputs.forEach((v, i) => {
      if (!known(v)) problems.push(`G1: operand ${i} of ${name} is not made before it in this graph`);
    });
    problems.push(...verifyOutputs(node));
    if (
      stage !== "traced" &&
      node.op.lower &&
      !claims(
        node.op,
        node.inputs.map((v) => v.aval),
        node.attrs,
      )
    )
      problems.push(`G3: ${name} is a composite that nobody claims`);
    node.regions.forEach((region, i) => {
      problems.push(...verify(region, stage, claims).map((p) => `region ${i} of ${name}: ${p}`));
    });
    made.add(node);
  }
  graph.results.forEach((v, i) => {
    if (!known(v)) problems.push(`G1: result ${i} is not made in this graph`);
  });
  return problems;
}

function verifyOutputs(node: Node): string[] {
  const guards: Guard[] = [];
  try {
    const outs = inferOp(
      node.op,
      node.inputs.map((v) => v.aval),
      node.attrs,
      node.regions,
      guards,
    );
    const [want, got] = [outs.map(formatAval).join(", "), node.outs.map(formatAval).join(", ")];
    return want === got ? [] : [`G2: ${node.op.name} makes ${want}, the node says ${got}`];
  } catch (error) {
    return [`G2: ${node.op.name}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
