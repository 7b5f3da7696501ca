import { formatAval } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { check, checkDType, defineOp, noRule, type Op } from "../../ir/op.js";
import { MillraceError } from "../../types/errors.js";

/** What is said with the value. */
export type MessageAttrs = { readonly message: string };

/** Prints x when the program runs, and gives it back. */
export const printOp: Op<"print", MessageAttrs> = defineOp<"print", MessageAttrs>({
  name: "print",
  version: 1,
  kind: "effect",
  arity: 1,
  effect: true,
  infer: ([x]) => [x!],
  reference([x], _attrs, [out]) {
    for (let i = 0; i < x!.data.length; i++) out!.data[i] = x!.data[i]!;
  },
  vjp: (_b, [g]) => [g!],
  batch: noRule("printing has an order that a batch has not"),
});
export const printCases: Cases<MessageAttrs> = cases(printOp, () => ({
  samples: [{ ins: [[2, 3]], attrs: { message: "x" } }],
}));

/** assert(pred, x): x, where every element of pred is true; else the program stops with E_ARGUMENT and the message. */
export const assertOp: Op<"assert", MessageAttrs> = defineOp<"assert", MessageAttrs>({
  name: "assert",
  version: 1,
  kind: "effect",
  arity: 2,
  effect: true,
  infer([pred, x]) {
    checkDType("assert.C1", pred!.dtype === "bool", () => `the condition must be bool, got ${pred!.dtype}`);
    check("assert.C2", pred!.shape.length === 0, () => `the condition must be a scalar, got ${formatAval(pred!)}`);
    return [x!];
  },
  reference([pred, x], { message }, [out]) {
    if (!pred!.data[0]) throw new MillraceError("E_ARGUMENT", `assertion failed: ${message}`, { op: "assert" });
    for (let i = 0; i < x!.data.length; i++) out!.data[i] = x!.data[i]!;
  },
  vjp: (_b, [g]) => [null, g!],
  batch: noRule("an assertion stops the whole program, not one element of a batch"),
});
export const assertCases: Cases<MessageAttrs> = cases(assertOp, () => ({
  samples: [],
  edges: [{ ins: [1, [2, 3]], dtypes: ["bool", "float32"], attrs: { message: "never" }, want: [2, 3] }],
  reject: [
    { ins: [[], [2]], attrs: { message: "" }, code: "assert.C1" },
    { ins: [[1], [2]], dtypes: ["bool", "float32"], attrs: { message: "" }, code: "assert.C2" },
  ],
}));
