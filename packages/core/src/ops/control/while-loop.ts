import { formatAval } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { check, checkAttr, checkDType, defineOp, type Op } from "../../ir/op.js";
import { checkRegion } from "./call.js";
import { whileLoopBatch } from "./while-loop-batch.js";
import { whileLoopVjp } from "./while-loop-vjp.js";

/** The attributes of a loop. */
export type WhileAttrs = {
  /** The first `carried` operands change from trip to trip; the others are read by both regions. */
  readonly carried: number;
  /** The loop ends after so many trips at the latest; 0 where there is no bound. Gradients keep a stack of that size. */
  readonly maximumIterations: number;
};

/** whileLoop(carry…, constants…): while region 0 gives true, the carry becomes what region 1 gives. */
export const whileLoopOp: Op<"whileLoop", WhileAttrs, "many"> = defineOp<"whileLoop", WhileAttrs, "many">({
  name: "whileLoop",
  version: 1,
  kind: "control",
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer(ins, { carried, maximumIterations }, [condition, body]) {
    checkAttr(
      "whileLoop.C4",
      maximumIterations >= 0,
      () => `maximumIterations must not be negative, got ${maximumIterations}`,
    );
    const [test] = checkRegion("whileLoop.C1", condition!, ins);
    const got = test ? formatAval(test) : "nothing";
    checkDType("whileLoop.C2", test?.dtype === "bool", () => `the condition must give a bool, got ${got}`);
    check("whileLoop.C2", test?.shape.length === 0, () => `the condition must give a scalar, got ${got}`);
    const outs = checkRegion("whileLoop.C1", body!, ins);
    const [given, made] = [ins.slice(0, carried).map(formatAval).join(", "), outs.map(formatAval).join(", ")];
    check(
      "whileLoop.C3",
      given === made,
      () => `the body must return what it is given: ${given || "nothing"}, got ${made || "nothing"}`,
    );
    return outs;
  },
  reference() {
    throw new TypeError("whileLoop: the evaluator runs the regions, since a reference sees no graphs");
  },
  vjp: whileLoopVjp,
  batch: whileLoopBatch,
});
export const whileLoopCases: Cases<WhileAttrs> = cases(whileLoopOp, () => ({ samples: [] }));
