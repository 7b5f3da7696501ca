import { noAttrs } from "../../ir/attrs.js";
import type { Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { inlineGraph } from "../../ir/inline.js";
import { type Composite, checkAttr, defineComposite, type NoAttrs } from "../../ir/op.js";
import { transforms } from "../../ir/transform.js";
import { batchGraph } from "../batched.js";
import { withBatch } from "../index/rows.js";
import type { Ops } from "../names.js";
import { checkRegion, floatCotangents, scatterCotangents } from "./call.js";

/** What the results and operands of a function with its own gradient are. */
export type CustomGradientAttrs = {
  /** The first operands, which have gradients; the others are what the function uses from outside. */
  readonly args: number;
  /** The first results; the others are what the gradient reads of the function. */
  readonly values: number;
};

const some = (gs: readonly (Val | null)[]): boolean => gs.some((g) => g !== null);

/**
 * customGradient(args…, constants…): region 0 on the operands. Its gradient is region 1 on the cotangents of the values and on
 * the results after them: it gives a cotangent for each float argument.
 */
export const customGradientOp: Composite<"customGradient", CustomGradientAttrs, "many"> = defineComposite<
  "customGradient",
  CustomGradientAttrs,
  "many"
>({
  name: "customGradient",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer(ins, { args, values }, [f]) {
    const outs = checkRegion("customGradient.C1", f!, ins);
    const fits = args >= 0 && args <= ins.length && values >= 0 && values <= outs.length;
    checkAttr("customGradient.C2", fits, () => `${args} arguments and ${values} values do not fit its region`);
    return outs;
  },
  lower: (b, ins, _attrs, [f]) => inlineGraph(f!, ins, b.apply),
  vjp(b, gs, ins, outs, { args, values }, [f, gradient]) {
    const given = floatCotangents(b, gs.slice(0, values), outs.slice(0, values));
    const own = b.call([...given, ...outs.slice(values)], noAttrs, [gradient!]);
    const byArgument = scatterCotangents(ins.slice(0, args), own);
    const custom = [...byArgument, ...ins.slice(args).map(() => null)];
    const ofKept = gs.map((g, i) => (i < values ? null : g));
    if (!some(ofKept)) return custom;
    // The gradient's own gradient: by what it reads of the function.
    const cotangents = floatCotangents(b, ofKept, outs);
    const through = b.call([...ins, ...cotangents], noAttrs, [transforms.current.vjp(f!)]);
    return scatterCotangents(ins, through).map((g, i) => sum(b, g, custom[i]!));
  },
  batch(b, ins, batched, attrs, outs, [f, gradient]) {
    const size = outs[0]!.shape[0]!;
    // Every operand has the axis, so that the cotangents have it too.
    const operands = ins.map((x, i) => withBatch(b, x, batched[i], size));
    const all = (n: number): boolean[] => Array.from({ length: n }, () => true);
    const whole = [f!, gradient!].map((region) => {
      const { params, results } = region;
      return batchGraph(region, all(params.length), size, all(results.length)).graph;
    });
    return b.customGradient(operands, attrs, whole);
  },
});
export const customGradientCases: Cases<CustomGradientAttrs> = cases(customGradientOp, () => ({ samples: [] }));

function sum(b: Ops, x: Val | null, y: Val | null): Val | null {
  return x && y ? b.add([x, y]) : (x ?? y);
}

/**
 * recompute(operands…): region 0 on the operands. Its gradient computes what it needs of the region anew, when its cotangents
 * are there: between the two nothing is kept but the operands.
 */
export const recomputeOp: Composite<"recompute", NoAttrs, "many"> = defineComposite<"recompute", NoAttrs, "many">({
  name: "recompute",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer: (ins, _attrs, [f]) => checkRegion("recompute.C1", f!, ins),
  lower: (b, ins, _attrs, [f]) => inlineGraph(f!, ins, b.apply),
  vjp(b, gs, ins, outs, _attrs, [f]) {
    // Behind the barrier nothing is equal to what was computed before, and nothing starts before the cotangents are there.
    const cotangents = floatCotangents(b, gs, outs);
    const late = b.optimizationBarrier([...ins, ...cotangents]);
    return scatterCotangents(ins, b.call(late, noAttrs, [transforms.current.vjp(f!)]));
  },
  batch: "lower",
});
export const recomputeCases: Cases<NoAttrs> = cases(recomputeOp, () => ({ samples: [] }));
