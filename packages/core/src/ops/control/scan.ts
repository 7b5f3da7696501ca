import { type Aval, avalsOf, formatAval, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { allTrue, type Dim, eqDim } from "../../ir/dim.js";
import type { Graph } from "../../ir/graph.js";
import { inlineGraph } from "../../ir/inline.js";
import { buildRegion } from "../../ir/make-ops.js";
import { type Composite, check, checkAttr, defineComposite } from "../../ir/op.js";
import { transforms } from "../../ir/transform.js";
import { batchedCarry, batchGraph } from "../batched.js";
import { dimensionOf, withBatch } from "../index/rows.js";
import type { Ops } from "../names.js";
import { axesOf, fillLike, isFloat, scalarOf, shift } from "../rules.js";
import { checkRegion, floatCotangents } from "./call.js";
import { rowAt, stackOf, withRow } from "./stacks.js";

/** The attributes of a scan. */
export type RowScanAttrs = {
  /** The first operands change from step to step; of the next ones each step sees a row; all steps see the others. */
  readonly carried: number;
  readonly scanned: number;
  /** The number of steps: the leading size of what is scanned. */
  readonly length: Dim;
  /** Whether the last row comes first. */
  readonly reverse: boolean;
};

const parts = <T>({ carried, scanned }: RowScanAttrs, all: readonly T[]) => ({
  carry: all.slice(0, carried),
  rows: all.slice(carried, carried + scanned),
  rest: all.slice(carried + scanned),
});

const rowOf = ({ dtype, shape }: Aval): Aval => ({ dtype, shape: shape.slice(1) });

/**
 * scan(carry…, rows…, constants…): for each row in order the region is applied to (carry…, row…, constants…); it gives the
 * next carry and a row of each other result. Results: the last carry, and the stacked rows.
 */
export const scanOp: Composite<"scan", RowScanAttrs, "many"> = defineComposite<"scan", RowScanAttrs, "many">({
  name: "scan",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  sizeAttrs: ["length"],
  infer(ins, attrs, [body]) {
    const { carried, scanned, length } = attrs;
    checkAttr("scan.C1", carried >= 0 && scanned >= 0 && carried + scanned <= ins.length, () => {
      return `${carried} carried and ${scanned} scanned operands of ${ins.length}`;
    });
    const { carry, rows, rest } = parts(attrs, ins);
    const leads = rows.map(({ shape: [lead] }) => (lead === undefined ? false : eqDim(lead, length)));
    check("scan.C2", allTrue(leads), () => `what is scanned has ${String(length)} rows, got ${rows.map(formatAval)}`);
    const outs = checkRegion("scan.C3", body!, [...carry, ...rows.map(rowOf), ...rest]);
    const [given, made] = [carry, outs.slice(0, carried)].map((list) => list.map(formatAval).join(", "));
    check("scan.C4", given === made, () => `a step must return the carry it is given: ${given}, got ${made}`);
    return outs.map((a, i) => (i < carried ? a : { dtype: a.dtype, shape: [length, ...a.shape] }));
  },
  lower: asLoop,
  vjp(b, gs, ins, outs, attrs, [body]) {
    const { carry, rows, rest } = parts(attrs, ins);
    const cotangents = floatCotangents(b, gs, outs);
    const ofCarry = cotangents.slice(0, carry.filter(isFloat).length);
    const ofRows = cotangents.slice(ofCarry.length);
    const kept = b.scan(ins, attrs, [keepingCarry(attrs, avalsOf(ins), body!)]).slice(carry.length);
    const sums = rest.filter(isFloat).map((x) => fillLike(b, x, 0));
    const back: RowScanAttrs = {
      carried: ofCarry.length + sums.length,
      scanned: kept.length + rows.length + ofRows.length,
      length: attrs.length,
      reverse: !attrs.reverse,
    };
    const operands = [...ofCarry, ...sums, ...kept, ...rows, ...ofRows, ...rest];
    const step = backStep(attrs, avalsOf(operands), back, ofCarry.length, body!);
    const found = [...b.scan(operands, back, [step])];
    const [gCarry, gRest] = [found.splice(0, ofCarry.length), found.splice(0, sums.length)];
    const put = (xs: readonly Val[], floats: Val[]) => xs.map((x) => (isFloat(x) ? floats.shift()! : null));
    return [...put(carry, gCarry), ...put(rows, found), ...put(rest, gRest)];
  },
  batch(b, ins, batched, attrs, outs, [body]) {
    const size = outs[0]!.shape[0]!;
    const { carried } = attrs;
    const mask = batchedCarry(body!, batched, carried, size);
    const region = batchGraph(body!, mask, size, mask.slice(0, carried));
    const operands = ins.map((x, i) => {
      if (i < carried) return mask[i] ? withBatch(b, x, batched[i], size) : x;
      return i < carried + attrs.scanned && batched[i] ? swapLeads(b, x) : x;
    });
    return b.scan(operands, attrs, [region.graph]).map((y, i) => {
      if (!region.batched[i]) return withBatch(b, y, false, size);
      return i < carried ? y : swapLeads(b, y);
    });
  },
});
export const scanCases: Cases<RowScanAttrs> = cases(scanOp, () => ({ samples: [] }));

/** The batch and the rows change places. */
function swapLeads(b: Ops, x: Val): Val {
  const [, , ...others] = axesOf(x.aval.shape.length);
  return b.transpose([x], { perm: [1, 0, ...others] });
}

/** A loop over the rows' numbers, with the results' rows on stacks. */
function asLoop(b: Ops, ins: readonly Val[], attrs: RowScanAttrs, [body]: readonly Graph[]): readonly Val[] {
  const { carry, rows, rest } = parts(attrs, ins);
  const { length, reverse } = attrs;
  const count = dimensionOf(b, length, "int32");
  const avalsOfStep = checkRegion("scan.C3", body!, [...avalsOf(carry), ...avalsOf(rows).map(rowOf), ...avalsOf(rest)]);
  const stacks = avalsOfStep.slice(carry.length).map((aval) => stackOf(b, { aval }, length));
  // Of no rows none could be read, not even in a loop that makes no trip.
  if (length === 0) return [...carry, ...stacks];
  const start = [scalarOf(b, "int32", 0), ...carry, ...stacks];
  const operands = [...start, count, ...rows, ...rest];
  const avals = avalsOf(operands);
  const test = buildRegion(avals, (r, params) => [r.lt([params[0]!, params[start.length]!])]);
  const step = buildRegion(avals, (r, params) => {
    const [i, n] = [params[0]!, params[start.length]!];
    const at = reverse ? r.sub([r.sub([n, scalarOf(r, "int32", 1)]), i]) : i;
    const now = params.slice(1, 1 + carry.length);
    const piles = params.slice(1 + carry.length, start.length);
    const seen = params.slice(start.length + 1, start.length + 1 + rows.length).map((stack) => rowAt(r, stack, at));
    const given = [...now, ...seen, ...params.slice(start.length + 1 + rows.length)];
    const results = inlineGraph(body!, given, r.apply);
    const pushed = piles.map((stack, k) => withRow(r, stack, results[carry.length + k]!, at));
    return [shift(r, i, 1), ...results.slice(0, carry.length), ...pushed];
  });
  return b.whileLoop(operands, { carried: start.length, maximumIterations: 0 }, [test, step]).slice(1);
}

/** The step that gives the carry that it began with as rows. */
function keepingCarry(attrs: RowScanAttrs, ins: readonly Aval[], body: Graph): Graph {
  const { carry, rows, rest } = parts(attrs, ins);
  return buildRegion([...carry, ...rows.map(rowOf), ...rest], (r, params) => {
    const next = inlineGraph(body, params, r.apply);
    return [...next.slice(0, carry.length), ...params.slice(0, carry.length)];
  });
}

/** One step back: the cotangents of a step's carry, rows and constants, from those of its results. */
function backStep(attrs: RowScanAttrs, ins: readonly Aval[], back: RowScanAttrs, floats: number, body: Graph): Graph {
  const { carry, rows, rest } = parts(back, ins);
  const gradient = transforms.current.vjp(body);
  return buildRegion([...carry, ...rows.map(rowOf), ...rest], (r, params) => {
    const now = parts(back, params);
    const [ofCarry, sums] = [now.carry.slice(0, floats), now.carry.slice(floats)];
    const kept = now.rows.slice(0, attrs.carried + attrs.scanned);
    const ofRows = now.rows.slice(kept.length);
    const found = inlineGraph(gradient, [...kept, ...now.rest, ...ofCarry, ...ofRows], r.apply);
    const rowFloats = kept.slice(attrs.carried).filter(isFloat).length;
    const gRest = found.slice(floats + rowFloats);
    const added = sums.map((sum, i) => r.add([sum, gRest[i]!]));
    return [...found.slice(0, floats), ...added, ...found.slice(floats, floats + rowFloats)];
  });
}
