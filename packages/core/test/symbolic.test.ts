// Rules hold for sizes that are not known yet: each op and its derivative are built once with a symbol for every size,
// and must give on real arrays what they give with the sizes known.
import type { Aval, Val } from "../src/ir/aval.js";
import { type Dim, symbol } from "../src/ir/dim.js";
import { type Graph, GraphBuilder, type Value } from "../src/ir/graph.js";
import { inlineGraph } from "../src/ir/inline.js";
import { isNoRule } from "../src/ir/op.js";
import { transforms } from "../src/ir/transform.js";
import * as tables from "../src/ops/cases.gen.js";
import type { Ops } from "../src/ops/names.js";
import { zerosOf } from "../src/ops/rules.js";
import { buildingOps } from "../src/ops/table.js";
import { expectSame, ulps } from "../src/testing/compare.js";
import { operandsOf, randomArray, randomOf } from "../src/testing/data.js";
import { applyHost, type HostVal, hostOps } from "../src/testing/host.js";
import { gradientGraph, pullBack } from "../src/testing/rules.js";
import { dtypes } from "../src/types/dtype.js";
import { isMillraceError } from "../src/types/errors.js";

transforms.current = { ...transforms.current, vjp: gradientGraph };

/** A symbol for each size; 1 stays, since it decides what is stretched. Equal sizes have one symbol. */
function unknown({ dtype, shape }: Aval): Aval {
  return { dtype, shape: shape.map((n): Dim => (n === 1 ? 1 : symbol(`n${n}`))) };
}

function built(
  avals: readonly Aval[],
  make: (builder: GraphBuilder, params: readonly Value[]) => readonly Value[],
): Graph {
  const builder = new GraphBuilder();
  const params = avals.map((aval) => builder.param(unknown(aval)));
  return builder.finish(make(builder, params));
}

function expectEqual(what: string, got: readonly HostVal[], want: readonly HostVal[]): void {
  expect(got.length).toBe(want.length);
  for (const [i, y] of got.entries()) {
    // Where sums cancel, their error is that of what they add up.
    const sizes = Array.from<number | bigint, number>(want[i]!.data as Float64Array, (v) => Math.abs(Number(v)));
    const largest = Math.max(0, ...sizes.filter(Number.isFinite));
    expectSame(what, y, want[i]!, (size, at) => ulps(y.dtype, 64)(size, at) + ulps(y.dtype, 1)(largest, at));
  }
}

for (const { op, samples } of Object.values(tables)) {
  if (samples.length === 0 || samples.every(({ ins }) => ins.length === 0)) continue;
  test(`${op.name} on unknown sizes`, () => {
    for (const [index, sample] of samples.entries()) {
      const ins = operandsOf(sample, "float64", `${op.name} ${index}`);
      const avals = ins.map((x) => x.aval);
      let want: readonly HostVal[];
      try {
        want = applyHost(op, ins, sample.attrs);
      } catch (error) {
        if (isMillraceError(error, "E_DTYPE")) continue;
        throw error;
      }
      const what = `${op.name} ${JSON.stringify(sample.ins)}`;
      const graph = built(avals, (builder, params) => builder.apply(op, params, sample.attrs));
      expectEqual(what, inlineGraph(graph, ins, applyHost), want);
      if (op.lower) {
        const { lower } = op;
        const lowered = built(
          avals,
          (builder, params) => lower(buildingOps(builder), params, sample.attrs, []) as Value[],
        );
        expectEqual(`decomposed ${what}`, inlineGraph(lowered, ins, applyHost), want);
      }
      if (isNoRule(op.vjp) || !want.some((y) => dtypes[y.dtype].isFloat)) continue;
      const gs = want.map((y, i) => randomArray(randomOf(`${what} ${i}`), y.dtype, y.shape, [-1, 1]));
      // No cotangent is one of zeros, which a loop over no steps has.
      const complete = (b: Ops, found: readonly (Val | null)[], all: readonly Val[]): readonly Val[] =>
        all.flatMap((x, i) => (dtypes[x.aval.dtype].isFloat ? [found[i] ?? zerosOf(b, x.aval)] : []));
      const backward = built([...avals, ...gs.map((g) => g.aval)], (builder, params) => {
        const [b, own] = [buildingOps(builder), params.slice(0, ins.length)];
        // boundary: the ops are over Values
        return complete(b, pullBack(b, op, params.slice(ins.length), own, sample.attrs), own) as readonly Value[];
      });
      // boundary: hostOps is over HostVals
      const gradients = complete(hostOps, pullBack(hostOps, op, gs, ins, sample.attrs), ins) as readonly HostVal[];
      expectEqual(`gradient of ${what}`, inlineGraph(backward, [...ins, ...gs], applyHost), gradients);
    }
  });
}
