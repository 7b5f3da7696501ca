import { attrsKey } from "./attrs.js";
import { formatAval } from "./aval.js";
import { dimKey } from "./dim.js";
import type { Graph, Node, Value } from "./graph.js";

/** A graph as text, values numbered in order: golden tests compare it, and equal regions are found by it. */
export function printGraph(graph: Graph, indent = ""): string {
  const names = new Map<Value | string, string>();
  const nodeNumbers = new Map<Node, number>();
  const define = (value: Value): string => {
    const name = `%${names.size}`;
    names.set(value.node ? `${nodeNumbers.get(value.node)}:${value.index}` : value, name);
    return name;
  };
  const nameOf = (value: Value): string =>
    names.get(value.node ? `${nodeNumbers.get(value.node)}:${value.index}` : value) ?? "%?";
  const params = graph.params.map((p) => `${define(p)}: ${formatAval(p.aval)}`).join(", ");
  const lines = [`${indent}graph ${graph.stage} (${params}) {`];
  graph.nodes.forEach((node, number) => {
    nodeNumbers.set(node, number);
    const inputs = node.inputs.map(nameOf).join(", ");
    const outs = node.outs.map((aval, index) => {
      const name = `%${names.size}`;
      names.set(`${number}:${index}`, name);
      return `${name}: ${formatAval(aval)}`;
    });
    const attrs = attrsKey(node.attrs);
    lines.push(`${indent}  ${outs.join(", ")} = ${node.op.name}(${inputs})${attrs && ` ${attrs}`}`);
    for (const region of node.regions) lines.push(printGraph(region, `${indent}    `));
  });
  for (const g of graph.guards)
    lines.push(`${indent}  guard ${dimKey(g.a)} ${g.kind === "eq" ? "=" : "<="} ${dimKey(g.b)}`);
  lines.push(`${indent}  return ${graph.results.map(nameOf).join(", ")}`, `${indent}}`);
  return lines.join("\n");
}
