import { type Aval, formatShape, sameShape, type Val } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import { addDim, type Dim } from "../../ir/dim.js";
import { forEachIndex } from "../../ir/host.js";
import { check, checkDType, defineOp, type Op } from "../../ir/op.js";
import { withBatch } from "../index/rows.js";
import type { Ops } from "../names.js";
import { limit } from "../reduce/extrema.js";
import { fillLike, scalarOf, stretch } from "../rules.js";
import { dilatedDim } from "../shape/pad.js";
import { forEachInWindows, type WindowAttrs, windowedShape, windowSamples, withLeadingAxis } from "./reduce-window.js";

/** The gradient of reduceWindowMax: each cotangent is added at the first greatest element of its window; NaN is greatest. */
export const selectAndScatterAddOp: Op<"selectAndScatterAdd", WindowAttrs> = defineOp({
  name: "selectAndScatterAdd",
  version: 1,
  kind: "window",
  arity: 2,
  sizeAttrs: ["low", "high"],
  infer([x, cotangent], attrs) {
    const want = windowedShape("selectAndScatterAdd", x!, attrs);
    checkDType(
      "selectAndScatterAdd.C4",
      cotangent!.dtype === x!.dtype,
      () => `needs one dtype, got ${x!.dtype} and ${cotangent!.dtype}`,
    );
    const fits = sameShape(want, cotangent!.shape);
    check(
      "selectAndScatterAdd.C5",
      fits,
      () => `needs a cotangent of shape ${formatShape(want)}, got ${formatShape(cotangent!.shape)}`,
    );
    return [x!];
  },
  reference([x, cotangent], attrs, [out]) {
    const chosen = new Int32Array(cotangent!.data.length).fill(-1);
    forEachInWindows(x!.shape, cotangent!.shape, attrs, (window, element) => {
      const [best, next] = [x!.data[chosen[window]!], x!.data[element]!];
      // NaN beats any number: `!(next <= best)` holds for it, unless the best is NaN already.
      if (best === undefined || (!(next <= best) && !Number.isNaN(best))) chosen[window] = element;
    });
    const wide = x!.dtype === "int64";
    const sums = Array.from<number | bigint>(out!.data);
    chosen.forEach((element, window) => {
      const [sum, more] = [sums[element], cotangent!.data[window]!];
      if (sum !== undefined) sums[element] = wide ? BigInt(sum) + BigInt(more) : Number(sum) + Number(more);
    });
    sums.forEach((sum, i) => {
      out!.data[i] = sum;
    });
  },
  vjp: (b, [g], [x, cotangent], _outs, attrs) => [null, atMaximum(b, x!, g!, cotangent!.aval, attrs)],
  batch(b, [x, cotangent], batched, attrs, [out]) {
    const size = out!.shape[0]!;
    const ins = [withBatch(b, x!, batched[0], size), withBatch(b, cotangent!, batched[1], size)];
    return [b.selectAndScatterAdd(ins, withLeadingAxis(attrs))];
  },
});

/** The element of `values` at the place of the first greatest element of `x`, for each window. */
function atMaximum(b: Ops, x: Val, values: Val, out: Aval, attrs: WindowAttrs): Val {
  const { window, strides, low, high } = attrs;
  const { dtype } = x.aval;
  if (out.shape.some((n) => n === 0)) return stretch(b, scalarOf(b, dtype, 0), out.shape, []);
  const padding = { low, high, interior: window.map(() => 0) };
  const padded = (y: Val, value: number | boolean): Val => b.pad([y, scalarOf(b, y.aval.dtype, value)], padding);
  const isPadded = [...low, ...high].some((n) => n !== 0);
  const elements = padded(x, limit(dtype, 0).float);
  const real = isPadded ? padded(stretch(b, scalarOf(b, "bool", true), x.aval.shape, []), false) : undefined;
  const results = padded(values, 0);
  // The elements at one offset within every window, all windows at once.
  const at = (y: Val, offset: readonly number[]): Val => {
    const limits: Dim[] = out.shape.map((count, i) => addDim(offset[i]!, dilatedDim(count, strides[i]!)));
    return b.slice([y], { start: offset, limit: limits, strides });
  };
  let best: { readonly element: Val; readonly result: Val; readonly found: Val | undefined } | undefined;
  forEachIndex(window, (index) => {
    const offset = [...index];
    const next = { element: at(elements, offset), result: at(results, offset), found: real && at(real, offset) };
    if (best === undefined) {
      best = next;
      return;
    }
    const [old, fresh] = [best.element, next.element];
    const beats = b.or([b.gt([fresh, old]), b.and([b.ne([fresh, fresh]), b.eq([old, old])])]);
    const taken = next.found && best.found ? b.and([next.found, b.or([b.not([best.found]), beats])]) : beats;
    best = {
      element: b.select([taken, fresh, old]),
      result: b.select([taken, next.result, best.result]),
      found: next.found && best.found && b.or([next.found, best.found]),
    };
  });
  return best?.result ?? fillLike(b, values, 0);
}

const pairs = { window: [2], strides: [1], low: [0], high: [0] };
export const selectAndScatterAddCases: Cases<WindowAttrs> = cases(selectAndScatterAddOp, () => ({
  samples: windowSamples().map(({ ins: [x], attrs }) => ({
    ins: [x!, windowedShape("selectAndScatterAdd", { dtype: "float32", shape: x! }, attrs).map(Number)],
    attrs,
  })),
  edges: [
    {
      ins: [
        [1, 1, 0],
        [10, 20],
      ],
      attrs: pairs,
      want: [10, 20, 0],
    },
    {
      ins: [
        [1, NaN, 3],
        [10, 20],
      ],
      attrs: pairs,
      want: [0, 30, 0],
    },
    // Padding never wins, not even against −∞.
    {
      ins: [
        [-Infinity, -Infinity],
        [10, 20, 40],
      ],
      attrs: { ...pairs, low: [1], high: [1] },
      want: [30, 40],
    },
  ],
  reject: [
    { ins: [[3], [2]], dtypes: ["bool", "bool"], attrs: pairs, code: "selectAndScatterAdd.C1" },
    { ins: [[3], [2]], attrs: { ...pairs, window: [0] }, code: "selectAndScatterAdd.C2" },
    { ins: [[3], [2]], attrs: { ...pairs, window: [5] }, code: "selectAndScatterAdd.C3" },
    { ins: [[3], [2]], dtypes: ["float32", "float64"], attrs: pairs, code: "selectAndScatterAdd.C4" },
    { ins: [[3], [3]], attrs: pairs, code: "selectAndScatterAdd.C5" },
  ],
}));
