import { noAttrs } from "../../ir/attrs.js";
import { formatAval } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { check, checkDType, defineOp, type NoAttrs, type Op } from "../../ir/op.js";
import { transforms } from "../../ir/transform.js";
import { batchGraph } from "../batched.js";
import { stretch } from "../rules.js";
import { checkRegion, floatCotangents, scatterCotangents } from "./call.js";

/** cond(pred, operands…): region 0 on the operands where pred is true, else region 1. */
export const condOp: Op<"cond", NoAttrs, "many"> = defineOp<"cond", NoAttrs, "many">({
  name: "cond",
  version: 1,
  kind: "control",
  arity: [1, Number.POSITIVE_INFINITY],
  many: true,
  infer([pred, ...operands], _attrs, [onTrue, onFalse]) {
    checkDType("cond.C1", pred!.dtype === "bool", () => `the condition must be bool, got ${pred!.dtype}`);
    check("cond.C2", pred!.shape.length === 0, () => `the condition must be a scalar, got ${formatAval(pred!)}`);
    const outs = checkRegion("cond.C3", onTrue!, operands);
    const others = checkRegion("cond.C3", onFalse!, operands);
    const [a, b] = [outs.map(formatAval).join(", "), others.map(formatAval).join(", ")];
    check(
      "cond.C4",
      a === b,
      () => `both branches must return the same avals, got ${a || "nothing"} and ${b || "nothing"}`,
    );
    return outs;
  },
  reference() {
    throw new TypeError("cond: the evaluator runs the region, since a reference sees no graphs");
  },
  vjp(b, gs, ins, outs, _attrs, [onTrue, onFalse]) {
    const cotangents = floatCotangents(b, gs, outs);
    const [pred, ...operands] = ins;
    const regions = [transforms.current.vjp(onTrue!), transforms.current.vjp(onFalse!)];
    return [null, ...scatterCotangents(operands, b.cond([pred!, ...operands, ...cotangents], noAttrs, regions))];
  },
  batch(b, [pred, ...operands], [picks, ...batched], _attrs, outs, regions) {
    const size = outs[0]!.shape[0]!;
    const all = outs.map(() => true);
    const graphs = regions.map((region) => batchGraph(region, batched, size, all).graph);
    if (!picks) return b.cond([pred!, ...operands], noAttrs, graphs);
    // Elements that decide for themselves: both branches run, and each element takes its own.
    const [yes, no] = graphs.map((graph) => b.call(operands, noAttrs, [graph]));
    return outs.map(({ shape }, i) => b.select([stretch(b, pred!, shape, [0]), yes![i]!, no![i]!]));
  },
});
export const condCases: Cases<NoAttrs> = cases(condOp, () => ({ samples: [] }));
