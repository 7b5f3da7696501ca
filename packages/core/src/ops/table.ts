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

/** `Ops` over any way of applying an op: a graph builder for passes, tensors for the tape. */
export function makeOps<V extends Val>(
  apply: (op: AnyOp, ins: readonly V[], attrs: Attrs, regions: readonly Graph[]) => readonly V[],
): Ops {
  const table: Record<string, unknown> = { apply };
  for (const op of coreOps) {
    table[op.name] = (ins: readonly V[], attrs: Attrs = {}, regions: readonly Graph[] = []) => {
      const outs = apply(op, ins, attrs, regions);
      return op.many ? outs : outs[0];
    };
  }
  // boundary: one entry an op of the families, which is what Ops is derived from
  return table as unknown as Ops;
}

/** An op by its name; undefined where this build has none of that name. */
export function findOp(name: string): AnyOp | undefined {
  return allOps().get(name);
}
