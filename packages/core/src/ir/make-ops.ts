import type { Ops } from "../ops/names.js";
import { sharedSites } from "../types/site.js";
import type { Attrs } from "./attrs.js";
import type { Aval, Val } from "./aval.js";
import { buildGraph, type Graph, type GraphBuilder, type Value } from "./graph.js";
import { type AnyOp, allOps } from "./op.js";

type Apply<V> = (op: AnyOp, ins: readonly V[], attrs: Attrs, regions: readonly Graph[]) => readonly V[];

/** `Ops` over any way of applying an op: a graph builder for passes, tensors for the tape. */
export function makeOps<V extends Val>(apply: Apply<V>): Ops {
  opsInCommon ??= methodsOfOps();
  // boundary: Ops is derived from the families, all of whose ops are defined before any rule runs
  return Object.create(opsInCommon, { apply: { value: apply } }) as unknown as Ops;
}

let opsInCommon: object | undefined;

/** An op becomes a function of one `Ops` when it is first asked for: most rules need a few of all ops. */
function methodsOfOps(): object {
  const methods = {};
  for (const op of allOps().values()) {
    Object.defineProperty(methods, op.name, {
      get(this: { readonly apply: Apply<Val> }) {
        const value = (ins: readonly Val[], attrs: Attrs = {}, regions: readonly Graph[] = []) => {
          const outs = this.apply(op, ins, attrs, regions);
          return op.many ? outs : outs[0];
        };
        Object.defineProperty(this, op.name, { value });
        return value;
      },
    });
  }
  return methods;
}

/** Ops that build `builder`'s graph. */
export function buildingOps(builder: GraphBuilder): Ops {
  return makeOps<Value>((op, ins, attrs, regions) => builder.apply(op, ins, attrs, regions, sharedSites()));
}

/** Builds a graph on parameters of these avals, in the words of rules. */
export function buildRegion(avals: readonly Aval[], build: (b: Ops, params: readonly Val[]) => readonly Val[]): Graph {
  // boundary: buildingOps are over Values, so what is made of the parameters are Values
  return buildGraph(avals, (builder, params) => build(buildingOps(builder), params) as readonly Value[]);
}
