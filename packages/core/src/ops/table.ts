// The table of core's ops: importing it defines them all.
import type { Attrs } from "../ir/attrs.js";
import type { Val } from "../ir/aval.js";
import type { Graph } from "../ir/graph.js";
import { type AnyOp, allOps } from "../ir/op.js";
import * as families from "./families.gen.js";
import type { Ops } from "./names.js";

/** Core's ops by name, sorted: an op's place is its number in programs. */
export const coreOps: readonly AnyOp[] = collect();

function collect(): AnyOp[] {
  const ops = Object.values(families).filter(
    (x): x is (typeof families)[keyof typeof families] & AnyOp => typeof x === "object" && "version" in x,
  );
  return ops.sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Apply<V> = (op: AnyOp, ins: readonly V[], attrs: Attrs, regions: readonly Graph[]) => readonly V[];

/** `Ops` over any way of applying an op: a graph builder for passes, tensors for the tape. */
export function makeOps<V extends Val>(apply: Apply<V>): Ops {
  opsInCommon ??= methodsOfOps();
  // boundary: one entry an op of the families, which is what Ops is derived from
  return Object.create(opsInCommon, { apply: { value: apply } }) as unknown as Ops;
}

let opsInCommon: object | undefined;

/** An op becomes a function of one `Ops` when it is first asked for: most rules need a few of all ops. */
function methodsOfOps(): object {
  const methods = {};
  for (const op of coreOps) {
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

/** An op by its name; undefined where this build has none of that name. */
export function findOp(name: string): AnyOp | undefined {
  return allOps().get(name);
}
