// Ops whose tables have no samples, since they take graphs or have effects: how random graphs get them.
import { dtypes } from "@millrace/core/backend";
import type { Attrs, Graph } from "@millrace/core/graph";
import type { Entry, Generator } from "./generate.js";
import { firstRow } from "./lanes.js";

/** By the op's name: adds one such node. */
export const byHand: Readonly<Record<string, (g: Generator) => void>> = {
  assert(g) {
    const x = g.any();
    const one = g.fit("int32", []);
    const [holds] = g.applyNamed("le", [one, one]);
    g.applyNamed("assert", [holds!, x], { message: "an int is at most itself" });
  },
  call: (g) => called(g, "call"),
  cond(g) {
    const operands = some(g);
    const [predicate] = g.applyNamed("lt", [g.fit("int32", []), g.fit("int32", [])]);
    const [yes, outs] = region(g, operands);
    const [no] = region(g, operands, outs);
    g.applyNamed("cond", [predicate!, ...operands], {}, [yes, no]);
  },
  constant(g) {
    const x = g.fresh(g.anyDType(), g.anyShape());
    const { dtype, data } = x.lanes[0]!;
    g.applyNamed("constant", [], { dtype, shape: x.aval.shape.map(Number), data });
  },
  customGradient(g) {
    const operands = some(g);
    const args = g.below(operands.length + 1);
    const f = inside(g, operands);
    const outs = f.leaves(3);
    const values = 1 + g.below(outs.length);
    // Linear in the cotangents, as a gradient is: what it reads of the function, times the sum of the first cotangent.
    const gradient = g.inner();
    const kept = outs.slice(values).map((y) => gradient.paramLike(y));
    gradient.steps(g.below(4));
    const wanted = operands.slice(0, args).filter(isFloat);
    const factors = wanted.map((x) => gradient.fit(x.aval.dtype, shapeOf(x)));
    const cotangents = outs
      .slice(0, values)
      .filter(isFloat)
      .map((y) => gradient.paramLike(y));
    const found = factors.map((factor) => gradient.timesSumOf(factor, cotangents[0]));
    const own = gradient.finish(found, [...cotangents, ...kept]);
    g.applyNamed("customGradient", operands, { args, values }, [f.finish(outs), own]);
  },
  dimension(g) {
    g.applyNamed("dimension", [], { size: g.below(9), dtype: g.pick(["int32", "int64", "float32"]) });
  },
  print(g) {
    g.applyNamed("print", [g.any()], { message: "" });
  },
  recompute: (g) => called(g, "recompute"),
  scan(g) {
    const length = 1 + g.below(4);
    const carry = some(g).slice(0, g.below(3));
    const rows = Array.from({ length: g.below(3) }, () => g.fit(g.anyDType(), [length, ...g.anyShape().slice(1)]));
    const rest = g.chance(0.5) ? [g.any()] : [];
    const inner = g.inner();
    for (const x of carry) inner.paramLike(x);
    for (const x of rows) inner.paramLike(firstRow(x));
    for (const x of rest) inner.paramLike(x);
    inner.steps(1 + g.below(4));
    const next = carry.map((x) => inner.fit(x.aval.dtype, shapeOf(x)));
    const made = inner.leaves(g.below(3));
    const attrs: Attrs = { carried: carry.length, scanned: rows.length, length, reverse: g.chance(0.4) };
    g.applyNamed("scan", [...carry, ...rows, ...rest], attrs, [inner.finish([...next, ...made])]);
  },
  whileLoop(g) {
    const trips = g.below(5);
    const from = g.number("int32", 0);
    const start = some(g);
    const rest = g.chance(0.5) ? [g.any()] : [];
    const operands = [from, ...start, ...rest];
    const test = g.inner();
    const [i] = operands.map((x) => test.paramLike(x));
    const goesOn = test.finish(test.applyNamed("lt", [i!, test.number("int32", trips)]));
    const body = g.inner();
    const [at] = operands.map((x) => body.paramLike(x));
    body.steps(1 + g.below(4));
    const [next] = body.applyNamed("add", [at!, body.number("int32", 1)]);
    const results = [next!, ...start.map((x) => body.fit(x.aval.dtype, shapeOf(x)))];
    const attrs = { carried: 1 + start.length, maximumIterations: g.chance(0.5) ? 0 : trips + g.below(2) };
    g.applyNamed("whileLoop", operands, attrs, [goesOn, body.finish(results)]);
  },
};

const isFloat = (x: Entry): boolean => dtypes[x.aval.dtype].isFloat;
const shapeOf = (x: Entry): number[] => x.aval.shape.map(Number);

/** One to three values. */
function some(g: Generator): Entry[] {
  return Array.from({ length: 1 + g.below(3) }, () => g.any());
}

/** A region on operands, with a few nodes in it. */
function inside(g: Generator, operands: readonly Entry[]): Generator {
  const inner = g.inner();
  for (const x of operands) inner.paramLike(x);
  inner.steps(1 + g.below(5));
  return inner;
}

/** A region on operands, and its results: like `wanted` where given. */
function region(g: Generator, operands: readonly Entry[], wanted?: readonly Entry[]): [graph: Graph, outs: Entry[]] {
  const inner = inside(g, operands);
  const outs = wanted?.map((x) => inner.fit(x.aval.dtype, shapeOf(x))) ?? inner.leaves(2);
  return [inner.finish(outs), outs];
}

function called(g: Generator, name: string): void {
  const operands = some(g);
  g.applyNamed(name, operands, {}, [region(g, operands)[0]]);
}
