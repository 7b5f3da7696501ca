// Turning a broken rule into an error that a person can act on.
import type { Attrs } from "../ir/attrs.js";
import { type Aval, formatAval } from "../ir/aval.js";
import { type AnyOp, RuleError } from "../ir/op.js";
import { offerRepair } from "../ir/repair.js";
import { MillraceError } from "../types/errors.js";

/** Runs what holds the rules of an op; what is wrong is explained to the user. */
export function explained<T>(op: AnyOp, ins: readonly Aval[], attrs: Attrs, f: () => T): T {
  try {
    return f();
  } catch (error) {
    throw explainRule(error, op, ins, attrs);
  }
}

/** A RuleError with the operands, the repair that fits and the user's line; any other error as it is. */
export function explainRule(error: unknown, op: AnyOp, ins: readonly Aval[], attrs: Attrs): unknown {
  if (!(error instanceof RuleError)) return error;
  const repair = offerRepair(op, ins, attrs);
  const parts = [
    error.reason,
    ins.length > 0 ? `  operands: ${ins.map(formatAval).join(", ")}` : "",
    `  rule: ${error.rule}`,
    repair ? `  ${repair}` : "",
  ];
  return new MillraceError(error.code, parts.filter(Boolean).join("\n"), {
    op: error.op ?? op.name,
    shapes: ins.map((a) => a.shape.map((d) => (typeof d === "number" ? d : d.key))),
    dtypes: ins.map((a) => a.dtype),
    ...(error.rule === undefined ? {} : { rule: error.rule }),
    ...(error.site ? { site: error.site } : {}),
  });
}
