// The definition of every op as something that can be run: references and decompositions on arrays in JavaScript.
import type { Attrs } from "../ir/attrs.js";
import { type Aval, formatAval, type Val } from "../ir/aval.js";
import type { Guard } from "../ir/dim.js";
import type { ApplyFn, Graph } from "../ir/graph.js";
import { type HostArray, hostArray } from "../ir/host.js";
import { inlineGraph } from "../ir/inline.js";
import { computesNarrow, computeWide } from "../ir/narrow.js";
import { type AnyOp, inferOp } from "../ir/op.js";
import type { Ops } from "../ops/names.js";
import { makeOps } from "../ops/table.js";
import { castOp } from "../ops/unary/cast.js";
import type { DType } from "../types/dtype.js";

/** An array as a value that rules compute with. */
export interface HostVal extends HostArray, Val {}

export function hostVal(array: HostArray): HostVal {
  return { ...array, aval: { dtype: array.dtype, shape: array.shape } };
}

/** The avals of an op's results where every size is known. */
export function inferStatic(
  op: AnyOp,
  ins: readonly Aval[],
  attrs: Attrs,
  regions: readonly Graph[] = [],
): readonly Aval[] {
  const guards: Guard[] = [];
  const outs = inferOp(op, ins, attrs, regions, guards);
  if (guards.length > 0) throw new Error(`${op.name}: a guard on sizes that are known`);
  return outs;
}

/** What an op without regions or a decomposition gives. */
export type HostPrimitive = (op: AnyOp, ins: readonly HostVal[], attrs: Attrs) => readonly HostVal[];

/**
 * A way of applying ops to arrays by their definitions: decompositions and regions are followed down to `primitive`, which
 * is the ops' references unless a test wants to see, or change, what they give.
 */
export function interpreter(primitive: HostPrimitive = applyReference): ApplyFn<HostVal> {
  const apply: ApplyFn<HostVal> = (op, ins, attrs, regions) => {
    const avals = ins.map((x) => x.aval);
    const outs = inferStatic(op, avals, attrs, regions);
    if (computesNarrow(op, avals, outs, regions)) return computeWide({ cast, apply: applyPlain }, op, ins, attrs, outs);
    if (op.lower) return lowered(op, ops, ins, attrs, regions, outs);
    return regions.length === 0 ? primitive(op, ins, attrs) : control(op, ins, regions, apply);
  };
  const applyPlain = (op: AnyOp, ins: readonly HostVal[], attrs: Attrs) => apply(op, ins, attrs, []);
  const cast = (x: HostVal, dtype: DType): HostVal => applyPlain(castOp, [x], { dtype })[0]!;
  const ops = makeOps<HostVal>(apply);
  return apply;
}

/** Applies a primitive by its reference. */
export function applyReference(op: AnyOp, ins: readonly HostVal[], attrs: Attrs): readonly HostVal[] {
  if (!op.reference) throw new Error(`${op.name} has neither a reference nor a decomposition`);
  const avals = inferStatic(
    op,
    ins.map((x) => x.aval),
    attrs,
  );
  const outs = avals.map((a) => hostArray(a.dtype, a.shape.map(Number)));
  op.reference(ins, attrs, outs);
  return outs.map(hostVal);
}

const definition = interpreter();

/** Applies an op by its definition: its reference, or its decomposition down to references. */
export function applyHost(
  op: AnyOp,
  ins: readonly HostVal[],
  attrs: Attrs = {},
  regions: readonly Graph[] = [],
): readonly HostVal[] {
  return definition(op, ins, attrs, regions);
}

/** Every op of core on arrays. */
export const hostOps: Ops = makeOps<HostVal>(applyHost);

function lowered(
  op: AnyOp,
  ops: Ops,
  ins: readonly HostVal[],
  attrs: Attrs,
  regions: readonly Graph[],
  avals: readonly Aval[],
): readonly HostVal[] {
  // boundary: ops is over HostVals, so what a decomposition makes of them are HostVals
  const outs = op.lower!(ops, ins, attrs, regions) as readonly HostVal[];
  const text = (list: readonly Aval[]): string => list.map(formatAval).join(", ");
  const [got, want] = [text(outs.map((x) => x.aval)), text(avals)];
  if (got !== want) throw new Error(`${op.name}: infer says ${want}, the decomposition gives ${got}`);
  return outs;
}

function control(
  op: AnyOp,
  ins: readonly HostVal[],
  regions: readonly Graph[],
  apply: ApplyFn<HostVal>,
): readonly HostVal[] {
  const run = (region: Graph, args: readonly HostVal[]): HostVal[] => inlineGraph(region, args, apply);
  const isTrue = (x: HostVal): boolean => Number(x.data[0]) !== 0;
  if (op.name === "call") return run(regions[0]!, ins);
  if (op.name === "cond") return run(regions[isTrue(ins[0]!) ? 0 : 1]!, ins.slice(1));
  if (op.name !== "whileLoop") throw new Error(`${op.name}: no way to run its regions is known`);
  const [condition, body] = regions;
  let carry = ins.slice(0, body!.results.length);
  const constants = ins.slice(carry.length);
  while (isTrue(run(condition!, [...carry, ...constants])[0]!)) carry = run(body!, [...carry, ...constants]);
  return carry;
}
