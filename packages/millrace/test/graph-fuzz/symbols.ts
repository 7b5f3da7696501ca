// The same graph for any sizes: each size of a parameter becomes a symbol, equal sizes the same one.
import { type Aval, isMillraceError } from "@millrace/core/backend";
import {
  type Attr,
  type Attrs,
  type Dim,
  type Graph,
  GraphBuilder,
  mapAttr,
  symbol,
  symbolName,
  type Value,
} from "@millrace/core/graph";

/** A graph with symbols for sizes, and the size of each. */
export interface General {
  readonly graph: Graph;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Undefined where a region's sizes are partly numbers, so that it does not fit with those that are symbols. */
export function withSymbols(graph: Graph): General | undefined {
  const sizes = new Map<string, number>();
  const symbols = new Map<number, Dim>();
  for (const { aval } of graph.params) {
    for (const d of aval.shape) {
      const size = Number(d);
      if (size < 2 || symbols.has(size)) continue;
      symbols.set(size, symbol(`n${size}`, 2));
      sizes.set(`n${size}`, size);
    }
  }
  try {
    return { graph: generalise(graph, symbols), sizes };
  } catch (error) {
    if (error instanceof NotGeneral) return undefined;
    if (isMillraceError(error, "E_SHAPE") && graph.nodes.some((node) => node.regions.length > 0)) return undefined;
    throw error;
  }
}

/** A region is called on sizes that are computed, which its parameters, made without knowing the call, do not have. */
class NotGeneral extends Error {}

function generalise(graph: Graph, symbols: ReadonlyMap<number, Dim>): Graph {
  const builder = new GraphBuilder();
  const dim = (d: Dim): Dim => (typeof d === "number" ? (symbols.get(d) ?? d) : d);
  const aval = (a: Aval): Aval => ({ dtype: a.dtype, shape: a.shape.map(dim) });
  const values = new Map<Value, Value>(graph.params.map((p) => [p, builder.param(aval(p.aval))]));
  const outsOf = new Map<Graph["nodes"][number], readonly Value[]>();
  const read = (v: Value): Value => (v.node ? outsOf.get(v.node)![v.index]! : values.get(v)!);
  for (const node of graph.nodes) {
    const attrs: Attrs = Object.fromEntries(
      Object.entries(node.attrs).map(([name, value]): [string, Attr] => {
        return [name, node.op.sizeAttrs?.includes(name) ? mapAttr(value, dim) : value];
      }),
    );
    const regions = node.regions.map((region) => generalise(region, symbols));
    const ins = node.inputs.map(read);
    const isPlain = (d: Dim): boolean => typeof d === "number" || symbolName(d) !== undefined;
    if (regions.length > 0 && !ins.every((v) => v.aval.shape.every(isPlain))) throw new NotGeneral();
    outsOf.set(node, builder.apply(node.op, ins, attrs, regions));
  }
  return builder.finish(graph.results.map(read));
}
