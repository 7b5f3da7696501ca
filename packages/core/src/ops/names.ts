// The names of all ops as types, derived from the families. This file alone may be imported, type-only, from below:
// a rule sees other ops through `Ops` without an import cycle at run time.
import type { Attrs } from "../ir/attrs.js";
import type { Val } from "../ir/aval.js";
import type { Graph } from "../ir/graph.js";
import type { AnyOp, Op } from "../ir/op.js";
import type * as Families from "./families.gen.js";

type Exported = typeof Families;

/** Every op by its name. */
type ByName = {
  [K in keyof Exported as Exported[K] extends { readonly name: infer N extends string; readonly version: number }
    ? N
    : never]: Exported[K];
};

/** The name of an op of core. */
export type OpName = keyof ByName;

/** The name of an op that backends have a kernel for. */
export type PrimitiveName = { [N in OpName]: ByName[N] extends { readonly kind: "composite" } ? never : N }[OpName];

/** The name of an op that is defined by its decomposition. */
export type CompositeName = Exclude<OpName, PrimitiveName>;

type Apply<O> =
  O extends Op<string, infer A, infer M>
    ? (
        ins: readonly Val[],
        ...rest: keyof A extends never
          ? [attrs?: A, regions?: readonly Graph[]]
          : [attrs: A, regions?: readonly Graph[]]
      ) => M extends "one" ? Val : readonly Val[]
    : never;

/** Every op as a function on values, and `apply` for any op: what rules and decompositions are written in. */
export type Ops = { readonly [N in OpName]: Apply<ByName[N]> } & {
  apply(op: AnyOp, ins: readonly Val[], attrs: Attrs, regions: readonly Graph[]): readonly Val[];
};
