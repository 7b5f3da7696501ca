import type { Attrs } from "./attrs.js";
import { type Aval, formatShape } from "./aval.js";
import { type AnyOp, inferOp } from "./op.js";

/** The one small change that makes a refused call legal: "transposeB: true would give [2,5]"; undefined for none or several. */
export function offerRepair(op: AnyOp, ins: readonly Aval[], attrs: Attrs): string | undefined {
  const fitting = (op.repairs?.(ins, attrs) ?? []).flatMap((repair) => {
    try {
      const outs = inferOp(op, repair.ins, repair.attrs, [], []);
      return [`${repair.change} would give ${outs.map(({ shape }) => formatShape(shape)).join(", ")}`];
    } catch {
      return [];
    }
  });
  return fitting.length === 1 ? fitting[0] : undefined;
}
