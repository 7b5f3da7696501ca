// Derivatives against finite differences in float64, for one operand at a time, in a random direction.
import type { Attrs } from "../ir/attrs.js";
import { evaluateGraph, type Graph, GraphBuilder, type Value } from "../ir/graph.js";
import type { AnyOp } from "../ir/op.js";
import { buildingOps } from "../ops/table.js";
import { dtypes } from "../types/dtype.js";
import { describe, expectSame, fail } from "./compare.js";
import { randomArray, randomOf } from "./data.js";
import { applyHost, type HostVal, hostOps, hostVal } from "./host.js";
import { pullBack, pullBackGraph } from "./rules.js";

type HostFunction = (xs: readonly HostVal[]) => readonly HostVal[];
type MaybeHostVal = HostVal | null;

/** The step of central differences: the error of rounding and that of the third derivative are both about 1e-9. */
const step = 1e-6;
const tolerance = 2e-6;

const isFloat = (x: HostVal): boolean => dtypes[x.dtype].isFloat;

/** Σ a · b, and the sum of the sizes of its terms. */
function dot(a: HostVal, b: HostVal): [sum: number, size: number] {
  let [sum, size] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    const term = Number(a.data[i]) * Number(b.data[i]);
    sum += term;
    size += Math.abs(term);
  }
  return [sum, size];
}

/** x + t · v */
function moved(x: HostVal, v: HostVal, t: number): HostVal {
  return hostVal({ ...x, data: Float64Array.from(x.data as Float64Array, (e, i) => e + t * Number(v.data[i])) });
}

/** Holds that `cotangents` are those of `f` at `xs` for the cotangents `gs` of its results. */
function expectDerivative(
  what: string,
  f: HostFunction,
  xs: readonly HostVal[],
  gs: readonly MaybeHostVal[],
  cotangents: readonly MaybeHostVal[],
): void {
  if (cotangents.length !== xs.length) fail(`${what}: ${cotangents.length} cotangents for ${xs.length} operands`);
  const value = (args: readonly HostVal[]): [number, number] => {
    const terms = f(args).map((y, i) => (gs[i] && isFloat(y) ? dot(y, gs[i]) : [0, 0]));
    return [terms.reduce((n, [sum]) => n + sum!, 0), terms.reduce((n, [, size]) => n + size!, 0)];
  };
  xs.forEach((x, i) => {
    const given = cotangents[i] ?? null;
    if (!isFloat(x)) {
      if (given) fail(`${what}: operand ${i} is ${x.dtype}, which has no cotangent`);
      return;
    }
    if (given && given.shape.join() !== x.shape.join())
      fail(`${what}: operand ${i} is [${x.shape}], its cotangent [${given.shape}]`);
    if (x.data.length === 0) return;
    const v = randomArray(randomOf(`${what} ${i}`), "float64", x.shape, [-1, 1]);
    const at = (t: number): [number, number] => value(xs.map((y, k) => (k === i ? moved(y, v, t) : y)));
    const [[above, size], [below]] = [at(step), at(-step)];
    const slope = (above - below) / (2 * step);
    const [rule, terms] = given ? dot(given, v) : [0, 0];
    // A sum of many terms rounds in proportion to their size.
    const allowed = tolerance * (1 + terms + Math.abs(slope)) + (size * 2 ** -50) / step;
    if (!(Math.abs(slope - rule) <= allowed)) fail(`${what}: operand ${i} has slope ${slope}, its rule says ${rule}`);
  });
}

/** First derivatives, for all results together and, where there are several, for each alone. */
export function checkGradient(op: AnyOp, xs: readonly HostVal[], attrs: Attrs): void {
  const f: HostFunction = (args) => applyHost(op, args, attrs);
  const outs = f(xs);
  const what = `gradient of ${describe(op, xs, attrs)}`;
  const all = outs.map((y, i) => randomArray(randomOf(`${what} cotangent ${i}`), y.dtype, y.shape, [-1, 1]));
  const alone =
    outs.length > 1 ? outs.flatMap((y, i) => (isFloat(y) ? [all.map((g, k) => (k === i ? g : null))] : [])) : [];
  for (const gs of [all, ...alone]) {
    // boundary: hostOps is over HostVals
    const cotangents = pullBack(hostOps, op, gs, xs, attrs) as readonly MaybeHostVal[];
    expectDerivative(what, f, xs, gs, cotangents);
  }
}

/** The rule as a graph of operands and cotangents, whose own derivative can be taken; undefined where it gives nothing. */
function ruleGraph(op: AnyOp, xs: readonly HostVal[], gs: readonly HostVal[], attrs: Attrs): Graph | undefined {
  const builder = new GraphBuilder();
  const params = [...xs, ...gs].map((x) => builder.param(x.aval));
  const cotangents = pullBack(buildingOps(builder), op, params.slice(xs.length), params.slice(0, xs.length), attrs);
  // boundary: the ops are over Values
  const results = cotangents.filter((g): g is Value => g !== null && dtypes[g.aval.dtype].isFloat);
  return results.length > 0 ? builder.finish(results) : undefined;
}

/** The derivative of the derivative against finite differences. */
export function checkSecondGradient(op: AnyOp, xs: readonly HostVal[], attrs: Attrs): void {
  // Of nothing there is no derivative, and means of nothing are NaN.
  if (xs.some((x) => x.data.length === 0)) return;
  const what = `second gradient of ${describe(op, xs, attrs)}`;
  const gs = applyHost(op, xs, attrs).map((y, i) => randomArray(randomOf(`${what} ${i}`), y.dtype, y.shape, [-1, 1]));
  const graph = ruleGraph(op, xs, gs, attrs);
  if (!graph) return;
  const args = [...xs, ...gs];
  const f: HostFunction = (values) => evaluateGraph(graph, values, applyHost);
  const weights = f(args).map((y, i) => randomArray(randomOf(`${what} weight ${i}`), y.dtype, y.shape, [-1, 1]));
  // boundary: hostOps is over HostVals
  expectDerivative(what, f, args, weights, pullBackGraph(hostOps, graph, weights, args) as readonly MaybeHostVal[]);
}

/** First derivatives where a finite difference cannot judge, for cotangents of one; second ones must be numbers. */
export function checkGradientAt(op: AnyOp, xs: readonly HostVal[], attrs: Attrs, wants: readonly HostVal[]): void {
  const what = `gradient of ${describe(op, xs, attrs)}`;
  const ones = (ys: readonly HostVal[]): HostVal[] =>
    ys.map((y) => hostVal({ ...y, data: new Float64Array(y.data.length).fill(1) }));
  const gs = ones(applyHost(op, xs, attrs));
  // boundary: hostOps is over HostVals
  const cotangents = pullBack(hostOps, op, gs, xs, attrs) as readonly MaybeHostVal[];
  for (const [i, want] of wants.entries()) {
    const got = cotangents[i] ?? hostVal({ ...want, data: new Float64Array(want.data.length) });
    expectSame(`${what}, operand ${i}`, got, want, (size) => 1e-12 * (1 + Math.abs(size)));
  }
  const graph = ruleGraph(op, xs, gs, attrs);
  if (!graph) return;
  const second = pullBackGraph(hostOps, graph, ones(evaluateGraph(graph, [...xs, ...gs], applyHost)), [...xs, ...gs]);
  // boundary: hostOps is over HostVals
  for (const [i, g] of (second as readonly MaybeHostVal[]).entries()) {
    if (g && Array.from(g.data as Float64Array).some(Number.isNaN)) fail(`second ${what}, operand ${i}: NaN`);
  }
}
