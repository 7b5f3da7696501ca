// How a public function refuses arguments before an op sees them: with the same facts as a broken rule of an op.
import type { Aval } from "../ir/aval.js";
import { dimKey } from "../ir/dim.js";
import { type ErrorCode, MillraceError } from "../types/errors.js";

/** The error of a call that breaks the rule `label` ("matMul.C2") of a public function. */
export function refusal(
  label: string,
  message: string,
  ins: readonly Aval[],
  code: ErrorCode = "E_SHAPE",
): MillraceError {
  const op = label.split(".")[0]!;
  return new MillraceError(code, `${op}: ${message}`, {
    op,
    rule: label,
    shapes: ins.map(({ shape }) => shape.map((d) => (typeof d === "number" ? d : dimKey(d)))),
    dtypes: ins.map(({ dtype }) => dtype),
  });
}

/** A parameter of TensorFlow.js that is not built: its default alone is taken, so that nothing is passed over in silence. */
export function notBuilt(name: string, parameter: string, given: unknown, only: string): void {
  if (given === undefined || given === null || given === only) return;
  throw refusal(`${name}.${parameter}`, `${parameter} "${String(given)}" is not built yet`, [], "E_UNIMPLEMENTED");
}
