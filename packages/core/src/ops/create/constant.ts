import { formatShape } from "../../ir/aval.js";
import { type Cases, cases } from "../../ir/cases.js";
import type { Dim } from "../../ir/dim.js";
import { countOf } from "../../ir/host.js";
import { checkAttr, defineOp, type Op } from "../../ir/op.js";
import type { DType, TypedArray } from "../../types/dtype.js";
import { stretch } from "../rules.js";

/** A value that is part of the graph. */
export type ConstantAttrs = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
};

export const constantOp: Op<"constant", ConstantAttrs> = defineOp({
  name: "constant",
  version: 1,
  kind: "constant",
  arity: 0,
  infer(_ins, { dtype, shape, data }) {
    checkAttr(
      "constant.C1",
      data.length === countOf(shape),
      () => `${formatShape(shape)} needs ${countOf(shape)} elements, got ${data.length}`,
    );
    return [{ dtype, shape }];
  },
  reference(_ins, { data }, [out]) {
    for (let i = 0; i < data.length; i++) out!.data[i] = data[i]!;
  },
  vjp: () => [],
  batch: (b, _ins, _batched, attrs, [out]) => [
    stretch(
      b,
      b.constant([], attrs),
      out!.shape,
      attrs.shape.map((_, i) => i + 1),
    ),
  ],
});
export const constantCases: Cases<ConstantAttrs> = cases(constantOp, () => ({
  samples: [],
  edges: [{ ins: [], attrs: { dtype: "int32", shape: [2], data: Int32Array.of(3, -4) }, want: [3, -4] }],
  reject: [{ ins: [], attrs: { dtype: "int32", shape: [3], data: Int32Array.of(3, -4) }, code: "constant.C1" }],
}));

/** A size as a number in a tensor. */
export type DimensionAttrs = { readonly size: Dim; readonly dtype: DType };

export const dimensionOp: Op<"dimension", DimensionAttrs> = defineOp({
  name: "dimension",
  version: 1,
  kind: "constant",
  computes: true,
  arity: 0,
  sizeAttrs: ["size"],
  infer: (_ins, { dtype }) => [{ dtype, shape: [] }],
  reference(_ins, { size, dtype }, [out]) {
    out!.data[0] = dtype === "int64" ? BigInt(Number(size)) : Number(size);
  },
  vjp: () => [],
  batch: (b, _ins, _batched, attrs, [out]) => [stretch(b, b.dimension([], attrs), out!.shape, [])],
});
export const dimensionCases: Cases<DimensionAttrs> = cases(dimensionOp, () => ({
  samples: [],
  edges: [{ ins: [], attrs: { size: 7, dtype: "float32" }, want: 7 }],
}));
