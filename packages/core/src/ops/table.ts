// The table of core's ops: importing it defines them all.
import { type AnyOp, allOps } from "../ir/op.js";
import * as families from "./families.gen.js";

export { buildingOps, makeOps } from "../ir/make-ops.js";

/** Core's ops by name, sorted: an op's place is its number in programs. */
export const coreOps: readonly AnyOp[] = collect();

function collect(): AnyOp[] {
  const ops = Object.values(families).filter(
    (x): x is (typeof families)[keyof typeof families] & AnyOp => typeof x === "object" && "version" in x,
  );
  return ops.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** An op by its name; undefined where this build has none of that name. */
export function findOp(name: string): AnyOp | undefined {
  return allOps().get(name);
}
