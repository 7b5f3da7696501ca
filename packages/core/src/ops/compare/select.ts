import { avalOf, typed } from "../../ir/apply.js";
import { noAttrs } from "../../ir/attrs.js";
import { formatShape, sameShape } from "../../ir/aval.js";
import { type Cases, cases, elementwiseSamples } from "../../ir/cases.js";
import { check, checkDType, defineOp, type NoAttrs, type Op } from "../../ir/op.js";
import { MillraceError } from "../../types/errors.js";
import type { Like, Out, PromoteOf, Same, ShapeOf } from "../../types/operands.js";
import type { Where } from "../../types/rules/broadcast.js";
import type { Arg } from "../../types/shape.js";
import { maxOp, minOp } from "../binary/extrema.js";
import { apply, binary, broadcastShapes, noBroadcast, promoted, requireBool, stretchTo, toTensor } from "../public.js";
import { zeroLike } from "../rules.js";

export const selectOp: Op<"select", NoAttrs> = defineOp({
  name: "select",
  version: 1,
  kind: "select",
  arity: 3,
  infer([predicate, onTrue, onFalse]) {
    const [p, x, y] = [predicate!, onTrue!, onFalse!];
    checkDType("select.C1", p.dtype === "bool", () => `needs a bool predicate, got ${p.dtype}`);
    checkDType("select.C2", x.dtype === y.dtype, () => `needs values of one dtype, got ${x.dtype} and ${y.dtype}`);
    for (const other of [x, y]) {
      check(
        "select.C3",
        sameShape(p.shape, other.shape),
        () => `needs equal shapes, got ${formatShape(p.shape)} and ${formatShape(other.shape)}`,
      );
    }
    return [x];
  },
  reference([p, x, y], _attrs, [out]) {
    for (let i = 0; i < out!.data.length; i++) out!.data[i] = (p!.data[i] ? x! : y!).data[i]!;
  },
  vjp(b, [g], [p]) {
    const zero = zeroLike(b, g!);
    return [null, b.select([p!, g!, zero]), b.select([p!, zero, g!])];
  },
  batch: "elementwise",
});
export const selectCases: Cases<NoAttrs> = cases(selectOp, () => ({
  samples: elementwiseSamples(3, noAttrs).map((sample) => ({ ...sample, dtypes: ["bool", "*", "*"] as const })),
  edges: [
    {
      ins: [
        [1, 0, 1],
        [1, NaN, -0],
        [NaN, 2, NaN],
      ],
      dtypes: ["bool", "float32", "float32"],
      attrs: noAttrs,
      want: [1, 2, -0],
    },
    {
      ins: [
        [1, 0],
        [1, 2],
        [3, 4],
      ],
      dtypes: ["bool", "int64", "int64"],
      attrs: noAttrs,
      want: [1, 4],
    },
  ],
  reject: [
    { ins: [[2], [2], [2]], attrs: noAttrs, code: "select.C1" },
    { ins: [[2], [2], [2]], dtypes: ["bool", "float32", "int32"], attrs: noAttrs, code: "select.C2" },
    { ins: [[2], [2], [3]], dtypes: ["bool", "int32", "int32"], attrs: noAttrs, code: "select.C3" },
  ],
}));

/**
 * `a` where the condition is true, else `b`; all three are broadcast. What is not chosen does not matter, NaN included.
 * @param condition bool
 * @example tf.where([true, false], [1, 2], 0) // [1, 0]
 * @method
 */
export function where<const C extends Like, const A extends Like, const B extends Like>(
  condition: C,
  a: A,
  b: Arg<Where<ShapeOf<C>, ShapeOf<A>, ShapeOf<B>>, B>,
): Out<Where<ShapeOf<C>, ShapeOf<A>, ShapeOf<B>>, PromoteOf<A, B>> {
  const p = requireBool("where", toTensor(condition));
  const [x, y] = promoted("where", a, b as Like);
  const [of, ofX, ofY] = [avalOf(p), avalOf(x), avalOf(y)];
  const values = broadcastShapes(ofX.shape, ofY.shape);
  if (!values) throw noBroadcast("where", ofX, ofY);
  const shape = broadcastShapes(of.shape, values);
  if (!shape) throw noBroadcast("where", of, { dtype: x.dtype, shape: values });
  return typed(
    apply(
      selectOp,
      [p, x, y].map((t) => stretchTo(t, shape)),
    ),
  );
}

/**
 * `x` held between two bounds: min(max(x, low), high). NaN stays NaN; the derivative is 1 from bound to bound, else 0.
 * @example tf.clipByValue([-2, 0.5, 7], 0, 1) // [0, 0.5, 1]
 * @method
 */
export function clipByValue<const X extends Like>(x: X, clipValueMin: number, clipValueMax: number): Same<X> {
  if (!(clipValueMin <= clipValueMax)) {
    const message = `clipByValue: the lower bound ${clipValueMin} is above the upper bound ${clipValueMax}`;
    throw new MillraceError("E_ARGUMENT", message, { op: "clipByValue" });
  }
  return typed(binary(minOp, binary(maxOp, toTensor(x), clipValueMin), clipValueMax));
}
