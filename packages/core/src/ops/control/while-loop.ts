import { formatAval } from "../../ir/aval.js";
import { cases, type Cases } from "../../ir/cases.js";
import { check, checkDType, defineOp, noRule, type Op } from "../../ir/op.js";
import { checkRegion } from "./call.js";

/** The first `carried` operands change from trip to trip; the others are read by both regions. */
export type WhileAttrs = { readonly carried: number };

/** whileLoop(carry…, constants…): while region 0 gives true, the carry becomes what region 1 gives. */
export const whileLoopOp: Op<"whileLoop", WhileAttrs, "many"> = defineOp<"whileLoop", WhileAttrs, "many">({
  name: "whileLoop",
  version: 1,
  kind: "control",
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer(ins, { carried }, [condition, body]) {
    const [test] = checkRegion("whileLoop.C1", condition!, ins);
    checkDType("whileLoop.C2", test?.dtype === "bool", () => `the condition must give a bool, got ${test ? formatAval(test) : "nothing"}`);
    check("whileLoop.C2", test?.shape.length === 0, () => `the condition must give a scalar, got ${test ? formatAval(test) : "nothing"}`);
    const outs = checkRegion("whileLoop.C1", body!, ins);
    const [want, got] = [ins.slice(0, carried).map(formatAval).join(", "), outs.map(formatAval).join(", ")];
    check("whileLoop.C3", want === got, () => `the body must return what it is given: ${want || "nothing"}, got ${got || "nothing"}`);
    return outs;
  },
  reference() {
    throw new TypeError("whileLoop: the evaluator runs the regions, since a reference sees no graphs");
  },
  vjp: noRule("reverse mode through whileLoop is not built yet; use scan of a known length or tf.function's unrolled loop"),
  batch: noRule("a batch of conditions ends at different trips: use a mask"),
});
export const whileLoopCases: Cases<WhileAttrs> = cases(whileLoopOp, { samples: [] });
