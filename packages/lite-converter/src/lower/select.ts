// Picks a rule for each value that is needed, from the results backwards, so that a rule takes in as much as it can.
import type { Node, Value } from "@millrace/core/graph";
import { dtypeRefusal } from "./dtypes.js";
import { liveNodes, Matcher, type RuleTable } from "./matcher.js";
import type { Prepared } from "./prepare.js";
import { isConstant, isTemporary, type Operand, type Step } from "./steps.js";

/** An op for which there is no operator. */
export interface Problem {
  readonly op: string;
  readonly layer: string;
  readonly reason: string;
}

/** A step, and the ops of the graph that it stands for. */
export interface PlacedStep extends Step {
  readonly layer: string;
  /** Layers that became part of it, besides its own. */
  readonly absorbed: readonly string[];
}

/** The operators of a graph in an order in which they can run, or why there are none. */
export function select(prepared: Prepared, rules: RuleTable): { steps: readonly PlacedStep[]; problems: Problem[] } {
  const matcher = new Matcher(prepared, rules);
  const nodes = liveNodes(prepared);
  const problems: Problem[] = [];
  const placed: PlacedStep[] = [];
  const needed = new Set<Value>();
  const made = new Set<Value>();
  const layerOf = (node: Node): string => prepared.layers.get(node) ?? "";
  for (const { value } of prepared.outputs) needed.add(value);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    const waiting = matcher.outputsOf(node).some((output) => needed.has(output) && !made.has(output));
    if (!waiting && !node.effect) continue;
    const match = refusal(node) ?? matcher.match(node);
    if (typeof match === "string") {
      problems.push({ op: node.op.name, layer: layerOf(node), reason: match });
      for (const value of node.inputs) needed.add(value);
      continue;
    }
    const reads = match.flatMap((s) => s.inputs).filter(isValue);
    const taken = [node, ...absorbedBy(node, new Set(reads), prepared)].map(layerOf);
    const own = match.map((s) => layerOf(s.from ?? node));
    const absorbed = [...new Set(taken)].filter((name) => name !== "" && !own.includes(name));
    placed.push(...match.map((s, k) => ({ ...s, layer: own[k]!, absorbed })).reverse());
    for (const s of match) for (const output of s.outputs) if (isValue(output)) made.add(output);
    for (const value of reads) needed.add(value);
  }
  return { steps: inOrder(placed.reverse()), problems: problems.reverse() };
}

/** Why a node cannot be lowered whatever the rules say. */
function refusal(node: Node): string | undefined {
  if (node.effect) return "a model file has no effects";
  if (node.regions.length > 0) return "control flow is not built yet";
  return dtypeRefusal(node);
}

function isValue(operand: Operand): operand is Value {
  return operand !== null && !isConstant(operand) && !isTemporary(operand);
}

/** The nodes between a match's result and what it reads: those that became part of its operators. */
function absorbedBy(root: Node, reads: ReadonlySet<Value>, prepared: Prepared): Node[] {
  const found = new Set<Node>();
  const visit = (value: Value): void => {
    if (!value.node || reads.has(value) || prepared.known.has(value) || found.has(value.node)) return;
    found.add(value.node);
    value.node.inputs.forEach(visit);
  };
  root.inputs.forEach(visit);
  return [...found];
}

/** Steps sorted so that each comes after those that it reads from; otherwise in their order. */
function inOrder(steps: readonly PlacedStep[]): PlacedStep[] {
  const maker = new Map<Operand, PlacedStep>();
  for (const s of steps) for (const output of s.outputs) maker.set(output, s);
  const sorted = new Set<PlacedStep>();
  for (const s of steps) {
    const stack: PlacedStep[] = [s];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const waiting = top.inputs.map((input) => maker.get(input)).filter((m) => m !== undefined && !sorted.has(m));
      if (sorted.has(top) || waiting.length === 0) {
        sorted.add(top);
        stack.pop();
      } else stack.push(waiting[0]!);
    }
  }
  return [...sorted];
}
