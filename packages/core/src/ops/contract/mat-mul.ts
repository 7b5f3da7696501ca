import { avalOf, typed } from "../../ir/apply.js";
import { type Aval, formatShape } from "../../ir/aval.js";
import { type Dim, eqDim } from "../../ir/dim.js";
import { offerRepair } from "../../ir/repair.js";
import type { DType, ProductDType } from "../../types/dtype.js";
import type { Like, MatMulOptions, Out, PromoteOf, ShapeOf } from "../../types/operands.js";
import { withDefaults } from "../../types/options.js";
import type { Dot, MatMul, OuterProduct } from "../../types/rules/mat-mul.js";
import type { Arg } from "../../types/shape.js";
import type { Tensor } from "../../types/tensor.js";
import { apply, broadcastShapes, noBroadcast, promoted, stretchTo } from "../public.js";
import { refusal } from "../refuse.js";
import { axesOf } from "../rules.js";
import { type DotAttrs, dotGeneralOp } from "./dot-general.js";

/**
 * Matrix product: [..., m, k] x [..., k, n] → [..., m, n]; the axes before the last two broadcast. Products of int8 are
 * summed in int32 and wrap where the result is int8; those of bfloat16 are summed in float32 and rounded once.
 * @param transposeA whether the last two axes of `a` are swapped first; `transposeB` likewise
 * @throws E_DTYPE where products of the operands are not given in `outputType`
 * @throws E_SHAPE where a rank is below 2, the inner sizes differ or the batch axes do not broadcast
 * @example tf.matMul([[1, 2], [3, 4]], [[5], [6]]) // [[17], [39]]
 * @method
 */
export function matMul<
  const A extends Like,
  const B extends Like,
  const TA extends boolean = false,
  const TB extends boolean = false,
  D extends ProductDType<PromoteOf<A, B>> = PromoteOf<A, B>,
>(
  a: A,
  b: Arg<MatMul<ShapeOf<A>, ShapeOf<B>, TA, TB>, B>,
  transposeA?: TA,
  transposeB?: TB,
  options?: MatMulOptions<D>,
): Out<MatMul<ShapeOf<A>, ShapeOf<B>, TA, TB>, D> {
  const [x, y] = promoted("matMul", a, b as Like);
  const outputType = options && withDefaults("matMul", options, { outputType: undefined }).outputType;
  return typed(product(x, y, transposeA ?? false, transposeB ?? false, outputType));
}

function product(x: Tensor, y: Tensor, transposeA: boolean, transposeB: boolean, dtype?: DType): Tensor {
  const [p, q] = [avalOf(x), avalOf(y)];
  const { inner, attrs } = matrixAxes(p.shape.length, q.shape.length, transposeA, transposeB, dtype);
  if (p.shape.length < 2 || q.shape.length < 2) {
    const [which, shape] = p.shape.length < 2 ? ["first", p.shape] : ["second", q.shape];
    throw refuse("matMul.C1", `${which} argument needs rank 2 or more, got ${formatShape(shape)}`, p, q, attrs);
  }
  const areMatrices = p.shape.length === 2 && q.shape.length === 2;
  const batch = areMatrices ? [] : broadcastShapes(p.shape.slice(0, -2), q.shape.slice(0, -2));
  const [k, l] = [p.shape[inner[0]]!, q.shape[inner[1]]!];
  if (eqDim(k, l) === false) {
    throw refuse(
      "matMul.C2",
      `inner sizes ${k} and ${l} differ: ${formatShape(p.shape)} x ${formatShape(q.shape)}`,
      p,
      q,
      attrs,
      batch,
    );
  }
  if (!batch) throw noBroadcast("matMul", p, q);
  // A matrix on the right needs no copies of itself: its product with every row of the left is one product.
  if (q.shape.length === 2) return apply(dotGeneralOp, [x, y], attrs);
  const whole = matrixAxes(batch.length + 2, batch.length + 2, transposeA, transposeB, dtype).attrs;
  const axes = axesOf(batch.length);
  const stretched = [x, y].map((t) => stretchTo(t, [...batch, ...avalOf(t).shape.slice(-2)]));
  return apply(dotGeneralOp, stretched, { ...whole, lhsBatch: axes, rhsBatch: axes });
}

interface MatrixAxes {
  readonly inner: readonly [number, number];
  readonly attrs: DotAttrs;
}

/** The axes of two matrices, one record each: an eager call that repeats is known by its attributes. */
const ofMatrices: readonly MatrixAxes[] = /* @__PURE__ */ [0, 1, 2, 3].map((n) => axesOfStacks(2, 2, n > 1, n % 2 > 0));

/** The contracted axes of two stacks of matrices. */
function matrixAxes(
  rankA: number,
  rankB: number,
  transposeA: boolean,
  transposeB: boolean,
  dtype: DType | undefined,
): MatrixAxes {
  const isUsual = rankA === 2 && rankB === 2 && dtype === undefined;
  if (isUsual) return ofMatrices[(transposeA ? 2 : 0) + (transposeB ? 1 : 0)]!;
  return axesOfStacks(rankA, rankB, transposeA, transposeB, dtype);
}

function axesOfStacks(
  rankA: number,
  rankB: number,
  transposeA: boolean,
  transposeB: boolean,
  dtype?: DType,
): MatrixAxes {
  const inner = [
    Math.max(0, transposeA ? rankA - 2 : rankA - 1),
    Math.max(0, transposeB ? rankB - 1 : rankB - 2),
  ] as const;
  const given = dtype ? { dtype } : {};
  return { inner, attrs: { lhsBatch: [], rhsBatch: [], lhsContract: [inner[0]], rhsContract: [inner[1]], ...given } };
}

/** The refusal of two operands, with the one small change that would fit; `batch` is what the axes before the last two give. */
function refuse(label: string, message: string, a: Aval, b: Aval, attrs: DotAttrs, batch?: readonly Dim[]): Error {
  const repair = batch
    ? offerRepair(dotGeneralOp, ...stacked(a, b, attrs, batch))
    : offerRepair(dotGeneralOp, [a, b], attrs);
  return refusal(label, repair ? `${message}\n  ${repair}` : message, [a, b]);
}

/** The operands and attributes of a product once both operands have all batch axes. */
function stacked(a: Aval, b: Aval, attrs: DotAttrs, batch: readonly Dim[]): [ins: Aval[], attrs: DotAttrs] {
  const axes = axesOf(batch.length);
  const moved = (axis: number, { shape }: Aval): number[] => [axis - shape.length + batch.length + 2];
  return [
    [a, b].map(({ dtype, shape }) => ({ dtype, shape: [...batch, ...shape.slice(-2)] })),
    {
      ...attrs,
      lhsBatch: axes,
      rhsBatch: axes,
      lhsContract: moved(attrs.lhsContract[0]!, a),
      rhsContract: moved(attrs.rhsContract[0]!, b),
    },
  ];
}

/**
 * The product of vectors and matrices: two vectors give their inner product, a matrix and a vector a vector.
 * @throws E_SHAPE where a rank is neither 1 nor 2, or the inner sizes differ
 * @example tf.dot([1, 2, 3], [4, 5, 6]) // 32
 * @method
 */
export function dot<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<Dot<ShapeOf<A>, ShapeOf<B>>, B>,
): Out<Dot<ShapeOf<A>, ShapeOf<B>>, PromoteOf<A, B>> {
  const [x, y] = promoted("dot", a, b as Like);
  const [p, q] = [avalOf(x), avalOf(y)];
  for (const { shape } of [p, q]) {
    if (shape.length !== 1 && shape.length !== 2)
      throw refusal("dot.C1", `needs rank 1 or 2, got ${formatShape(shape)}`, [p, q]);
  }
  const [k, l] = [p.shape[p.shape.length - 1]!, q.shape[0]!];
  if (eqDim(k, l) === false)
    throw refusal("dot.C2", `inner sizes ${k} and ${l} differ: ${formatShape(p.shape)} x ${formatShape(q.shape)}`, [
      p,
      q,
    ]);
  return typed(
    apply(dotGeneralOp, [x, y], { lhsBatch: [], rhsBatch: [], lhsContract: [p.shape.length - 1], rhsContract: [0] }),
  );
}

/**
 * Every product of an element of `a` and one of `b`: [m], [n] → [m, n].
 * @throws E_SHAPE where a rank is not 1
 * @example tf.outerProduct([1, 2], [3, 4]) // [[3, 4], [6, 8]]
 * @method
 */
export function outerProduct<const A extends Like, const B extends Like>(
  a: A,
  b: Arg<OuterProduct<ShapeOf<A>, ShapeOf<B>>, B>,
): Out<OuterProduct<ShapeOf<A>, ShapeOf<B>>, PromoteOf<A, B>> {
  const [x, y] = promoted("outerProduct", a, b as Like);
  const [p, q] = [avalOf(x), avalOf(y)];
  if (p.shape.length !== 1 || q.shape.length !== 1) {
    throw refusal("outerProduct.C1", `needs two vectors, got ${formatShape(p.shape)} and ${formatShape(q.shape)}`, [
      p,
      q,
    ]);
  }
  return typed(apply(dotGeneralOp, [x, y], { lhsBatch: [], rhsBatch: [], lhsContract: [], rhsContract: [] }));
}
