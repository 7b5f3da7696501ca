import { noAttrs } from "../../ir/attrs.js";
import type { Aval, Val } from "../../ir/aval.js";
import { formatAval, sameShape } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Graph } from "../../ir/graph.js";
import { paramAvals, resultAvals } from "../../ir/graph.js";
import { inlineGraph, matchSymbols, substituteAval } from "../../ir/inline.js";
import { type Composite, check, checkDType, defineComposite, type NoAttrs } from "../../ir/op.js";
import { transforms } from "../../ir/transform.js";
import type { Ops } from "../names.js";
import { fillLike, isFloat } from "../rules.js";

/** The cotangents of the float outputs: zeros where nothing reads one. */
export function floatCotangents(b: Ops, gs: readonly (Val | null)[], outs: readonly Val[]): Val[] {
  return outs.flatMap((y, i) => (isFloat(y) ? [gs[i] ?? fillLike(b, y, 0)] : []));
}

/** Cotangents of the float inputs, put back in the places of all inputs. */
export function scatterCotangents(ins: readonly Val[], floats: readonly Val[]): (Val | null)[] {
  let next = 0;
  return ins.map((x) => (isFloat(x) ? floats[next++]! : null));
}

/** Holds that a region takes these operands; the operands' sizes replace its symbols in what is returned. */
export function checkRegion(label: string, region: Graph, ins: readonly Aval[]): readonly Aval[] {
  const params = paramAvals(region);
  check(
    label,
    params.length === ins.length,
    () => `the region takes ${params.length} operands, got ${ins.length}`,
    "E_ARGUMENT",
  );
  const by = matchSymbols(params, ins);
  params.forEach((p, i) => {
    const want = substituteAval(p, by);
    const got = ins[i]!;
    checkDType(
      label,
      want.dtype === got.dtype,
      () => `operand ${i} must be ${formatAval(want)}, got ${formatAval(got)}`,
    );
    check(
      label,
      sameShape(want.shape, got.shape),
      () => `operand ${i} must be ${formatAval(want)}, got ${formatAval(got)}`,
    );
  });
  return resultAvals(region).map((a) => substituteAval(a, by));
}

/** Calls a graph: region 0 on the operands. */
export const callOp: Composite<"call", NoAttrs, "many"> = defineComposite<"call", NoAttrs, "many">({
  name: "call",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer: (ins, _attrs, [f]) => checkRegion("call.C1", f!, ins),
  lower: (b, ins, _attrs, [f]) => inlineGraph(f!, ins, b.apply),
  vjp(b, gs, ins, outs, _attrs, [f]) {
    const cotangents = floatCotangents(b, gs, outs);
    return scatterCotangents(ins, b.call([...ins, ...cotangents], noAttrs, [transforms.current.vjp(f!)]));
  },
  batch: "lower",
});
export const callCases: Cases<NoAttrs> = cases(callOp, () => ({ samples: [] }));
