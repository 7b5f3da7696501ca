import { type Attrs, mapAttr } from "./attrs.js";
import type { Aval } from "./aval.js";
import { type Dim, evaluateDim, type SymDim, substituteDim } from "./dim.js";
import { type ApplyFn, evaluateGraph, type Graph, paramAvals } from "./graph.js";

/** The name of a size that is one symbol and nothing else. */
export function symbolName(d: Dim): string | undefined {
  if (typeof d === "number" || d.terms.length !== 1) return undefined;
  const { coefficient, atoms } = d.terms[0]!;
  const [atom] = atoms;
  return coefficient === 1 && atoms.length === 1 && atom?.kind === "symbol" ? atom.name : undefined;
}

/** What each symbol of a graph's parameters stands for when it is called with these avals. */
export function matchSymbols(params: readonly Aval[], args: readonly Aval[]): Map<string, Dim> {
  const found = new Map<string, Dim>();
  params.forEach((p, i) => {
    p.shape.forEach((d, axis) => {
      const name = symbolName(d);
      if (name !== undefined && !found.has(name)) found.set(name, args[i]!.shape[axis]!);
    });
  });
  return found;
}

/** An aval with its symbols replaced. */
export function substituteAval(aval: Aval, by: ReadonlyMap<string, Dim>): Aval {
  return by.size === 0 ? aval : { dtype: aval.dtype, shape: aval.shape.map((d) => substituteDim(d, by)) };
}

function substituteAttrs(attrs: Attrs, by: ReadonlyMap<string, Dim>): Attrs {
  const change = (d: number | SymDim): number | SymDim => (typeof d === "number" ? d : substituteDim(d, by));
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, mapAttr(value, change)]));
}

/** Runs a graph's nodes with `apply`, its symbols replaced by the sizes of `args`. */
export function inlineGraph<V extends { readonly aval: Aval }>(
  graph: Graph,
  args: readonly V[],
  apply: ApplyFn<V>,
): V[] {
  const by = matchSymbols(
    paramAvals(graph),
    args.map((a) => a.aval),
  );
  if (by.size === 0) return evaluateGraph(graph, args, apply);
  return evaluateGraph(graph, args, (op, ins, attrs, regions) => apply(op, ins, substituteAttrs(attrs, by), regions));
}

/** The value of every symbol of a graph, from the sizes of what it is called with. */
export function symbolValues(graph: Graph, args: readonly Aval[], symbols: readonly string[]): number[] {
  const found = matchSymbols(paramAvals(graph), args);
  return symbols.map((name) => {
    const d = found.get(name);
    if (d === undefined) throw new RangeError(`the size ${name} is no size of a parameter`);
    return evaluateDim(d, new Map());
  });
}
