// A graph as code that builds it.
import type { Aval } from "@millrace/core/backend";
import { type Attr, type Graph, isAttrList, type Node, type Value } from "@millrace/core/graph";
import type { Example } from "./generate.js";

/** An example as a call that a test can hold: `example(mode, inputs, (b) => results)`. */
export function printExample({ mode, graph, inputs }: Example): string {
  const data = inputs.map((x) => `  ${arrayCode(x.data)},`);
  return [`example("${mode}", [`, ...data, "], (b) => {", ...bodyLines(graph, ""), "})"].join("\n");
}

/** Statements that build a graph with the builder `b`. */
function bodyLines(graph: Graph, prefix: string): string[] {
  const names = new Map<Node, string>();
  const params = new Map<Value, string>(graph.params.map((p, i) => [p, `${prefix}p${i}`]));
  const nameOf = (v: Value): string => (v.node ? `${names.get(v.node)}[${v.index}]!` : params.get(v)!);
  const lines = graph.params.map((p) => `  const ${params.get(p)} = b.param(${avalCode(p.aval)});`);
  for (const [i, node] of graph.nodes.entries()) {
    const name = `${prefix}v${i}`;
    const regions = node.regions.map((region, k) => {
      const inner = bodyLines(region, `${name}r${k}`).map((line) => `  ${line}`);
      return ["region((b) => {", ...inner, "  })"].join("\n");
    });
    const attrs = Object.entries(node.attrs).map(([key, value]) => `${key}: ${attrCode(value)}`);
    const rest = regions.length > 0 ? `, [${regions.join(", ")}]` : "";
    const ins = node.inputs.map(nameOf).join(", ");
    lines.push(`  const ${name} = b.apply(findOp("${node.op.name}")!, [${ins}], {${attrs.join(", ")}}${rest});`);
    names.set(node, name);
  }
  return [...lines, `  return [${graph.results.map(nameOf).join(", ")}];`];
}

const avalCode = ({ dtype, shape }: Aval): string => `{ dtype: "${dtype}", shape: [${shape.join(", ")}] }`;

function numberCode(x: number | bigint): string {
  return typeof x === "bigint" ? `${x}n` : Object.is(x, -0) ? "-0" : `${x}`;
}

function arrayCode(data: ArrayLike<number | bigint> & { readonly constructor: { readonly name: string } }): string {
  return `${data.constructor.name}.of(${Array.from(data, numberCode).join(", ")})`;
}

function attrCode(value: Attr): string {
  if (typeof value === "number" || typeof value === "bigint") return numberCode(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean") return `${value}`;
  if (isAttrList(value)) return `[${value.map(attrCode).join(", ")}]`;
  if ("terms" in value) throw new TypeError("the graphs that are printed have sizes that are numbers");
  return arrayCode(value);
}
