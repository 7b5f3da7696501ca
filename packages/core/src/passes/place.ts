// Placement: every value on a device, and copies where a value is read on another.
import { type Graph, GraphBuilder, type Node, type Value } from "../ir/graph.js";
import { type AnyOp, type Composite, internalComposite } from "../ir/op.js";
import { rewriteGraph } from "./rewrite.js";

/** Where a copy goes, and where it comes from, for its gradient. */
export type CopyAttrs = { readonly device: string; readonly from: string };

/** x on another device. On one device it is nothing: it is lowered to x, and no artifact names it. */
export const copyOp: Composite<string, CopyAttrs> = internalComposite<CopyAttrs>({
  name: "to",
  version: 1,
  arity: 1,
  infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
  lower: (_b, [x]) => [x!],
  vjp: (b, [g], _ins, _outs, { device, from }) => b.apply(copyOp, [g!], { device: from, from: device }, []),
  jvp: (b, [t], _ins, _outs, attrs) => b.apply(copyOp, [t!], attrs, []),
  batch: (b, [x], _batched, attrs) => b.apply(copyOp, [x!], attrs, []),
});

/** Whether values are copied between devices in a graph. */
export const hasCopies = (graph: Graph): boolean => graph.nodes.some((node) => node.op === copyOp);

/** A graph for one device. */
export function withoutCopies(graph: Graph): Graph {
  return hasCopies(graph) ? rewriteGraph(graph, (_builder, op, ins) => (op === copyOp ? ins : undefined)) : graph;
}

/** Whether an op without regions can run wherever it is read: where it depends on constants alone. */
export function isFree(op: AnyOp, operands: readonly boolean[]): boolean {
  return !op.effect && op.kind !== "random" && op !== copyOp && operands.every((free) => free);
}

/** A graph in which every op has its operands on one device. */
export interface PlacedGraph {
  readonly graph: Graph;
  /** Where a value is; undefined for one that depends on constants alone, which is made wherever it is read. */
  deviceOf(value: Value): string | undefined;
}

/**
 * Places a traced graph: an op runs where its first operand is, and gets copies of the others; results are where they are made.
 * @param params the devices of the parameters
 * @param home where results are that depend on constants alone
 */
export function place(graph: Graph, params: readonly string[], home: string): PlacedGraph {
  const builder = new GraphBuilder();
  for (const guard of graph.guards) builder.guard(guard);
  const devices = new Map<Value, string | undefined>();
  const made = new Map<Node | null, readonly Value[]>();
  made.set(
    null,
    graph.params.map((p, i) => {
      const value = builder.param(p.aval);
      devices.set(value, params[i]!);
      return value;
    }),
  );
  const index = new Map(graph.params.map((p, i) => [p, i]));
  const read = (v: Value): Value => made.get(v.node)![v.node ? v.index : index.get(v)!]!;
  const on = (x: Value, device: string): Value => {
    const from = devices.get(x) ?? home;
    const [copy] = builder.apply(copyOp, [x], { device, from });
    devices.set(copy!, device);
    return copy!;
  };
  for (const node of graph.nodes) {
    const given = node.inputs.map(read);
    const free = given.map((x) => devices.get(x) === undefined);
    const isAnywhere = node.regions.length === 0 && isFree(node.op, free);
    const wanted = node.op === copyOp ? String(node.attrs.device) : given.map((x) => devices.get(x)).find(Boolean);
    const device = isAnywhere ? undefined : (wanted ?? home);
    const ins = given.map((x) => {
      const at = devices.get(x);
      return node.op === copyOp || at === undefined || at === device ? x : on(x, device!);
    });
    builder.sites = node.sites;
    const outs = builder.adopt(node, ins);
    for (const y of outs) devices.set(y, device);
    made.set(node, outs);
  }
  const results = graph.results.map(read).map((x) => (devices.get(x) === undefined ? on(x, home) : x));
  return { graph: builder.finish(results, graph.stage), deviceOf: (value) => devices.get(value) };
}

/** What is wrong with a placed graph; an empty list where every op has its operands on its own device. */
export function verifyPlaced({ graph, deviceOf }: PlacedGraph): string[] {
  const problems: string[] = [];
  for (const node of graph.nodes) {
    const places = new Set(node.inputs.map(deviceOf).filter(Boolean));
    if (node.op !== copyOp && places.size > 1)
      problems.push(`P1: the operands of ${node.op.name} are on ${[...places].join(" and ")}`);
  }
  graph.results.forEach((v, i) => {
    if (deviceOf(v) === undefined) problems.push(`P2: result ${i} has no device`);
  });
  return problems;
}
