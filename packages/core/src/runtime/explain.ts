// Turning a broken rule into an error that a person can act on.
import type { Attrs } from "../ir/attrs.js";
import { type Aval, formatAval } from "../ir/aval.js";
import { type AnyOp, inferOp, RuleError } from "../ir/op.js";
import { captureSites, formatSite } from "../ir/site.js";
import { type CallSite, MillraceError } from "../types/errors.js";

/** How the engine shows a line of the user's file; Node's part of the umbrella provides it. */
let readLine: (site: CallSite) => string | undefined = () => undefined;

/** Gives the engine a way to read source lines, where there are files. */
export function provideSourceReader(reader: (site: CallSite) => string | undefined): void {
  readLine = reader;
}

/** A RuleError with the operands, the repair that fits and the user's line; any other error as it is. */
export function explainRule(error: unknown, op: AnyOp, ins: readonly Aval[], attrs: Attrs): unknown {
  if (!(error instanceof RuleError)) return error;
  const [site] = captureSites(1);
  const repair = repairFor(op, ins, attrs);
  const parts = [
    error.message,
    ins.length > 0 ? `  operands: ${ins.map(formatAval).join(", ")}` : "",
    `  rule: ${error.rule}`,
    repair ? `  ${repair}` : "",
    site ? showSite(site) : "",
  ];
  return new MillraceError(error.code, parts.filter(Boolean).join("\n"), {
    op: error.op ?? op.name,
    shapes: ins.map((a) => a.shape.map((d) => (typeof d === "number" ? d : d.key))),
    dtypes: ins.map((a) => a.dtype),
    ...(error.rule === undefined ? {} : { rule: error.rule }),
    ...(site ? { site } : {}),
  });
}

/** The single small change that would make the call legal. */
function repairFor(op: AnyOp, ins: readonly Aval[], attrs: Attrs): string | undefined {
  const fitting = (op.repairs?.(ins, attrs) ?? []).flatMap((r) => {
    try {
      const outs = inferOp(op, r.ins, r.attrs, [], []);
      return [`${r.change} would give ${outs.map(formatAval).join(", ")}`];
    } catch {
      return [];
    }
  });
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** The user's line with a caret where its file is readable, else the place alone. */
function showSite(site: CallSite): string {
  const line = readLine(site);
  const at = `  at ${formatSite(site)}`;
  return line === undefined ? at : `${at}\n    ${line}\n    ${" ".repeat(Math.max(0, site.column - 1))}^`;
}
