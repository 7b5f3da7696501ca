/**
 * Ops of your own. A composite is defined by its decomposition and fuses like those of core; a primitive is defined by a
 * loop in JavaScript. `@millrace/core/testing` tests both.
 *
 *     const cubeOp = defineComposite({ name: "acme/cube", lower: (b, [x]) => [b.mul([x, b.mul([x, x])])] });
 *     export const cube = (x: Tensor): Tensor => applyOp(cubeOp, [x]);
 *
 * A size may be unknown while `infer` runs, also in eager code: it computes sizes with `addDim` and its like.
 * @packageDocumentation
 */
export {
  applyOp,
  type CompositeSpec,
  defineComposite,
  defineOp,
  type PrimitiveSpec,
  type ScopedName,
} from "./api/extend.js";
export type { Attr, Attrs } from "./ir/attrs.js";
export { type Aval, formatAval, formatShape, sameShape, type Val } from "./ir/aval.js";
export {
  addDim,
  ceilDivDim,
  type Dim,
  eqDim,
  floorDivDim,
  leDim,
  maxDim,
  minDim,
  modDim,
  mulDim,
  subDim,
} from "./ir/dim.js";
export type { HostArray } from "./ir/host.js";
export {
  type BatchRule,
  type Composite,
  check,
  checkAttr,
  checkDType,
  type JvpRule,
  type LowerRule,
  type NoAttrs,
  type NoRule,
  noRule,
  type Op,
  type Reference,
  type Repair,
  type VjpRule,
} from "./ir/op.js";
export type { Ops } from "./ops/names.js";
