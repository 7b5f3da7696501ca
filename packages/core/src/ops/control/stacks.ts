// Stacks: tensors whose rows are values of other trips of a loop.
import type { Val } from "../../ir/aval.js";
import type { Dim } from "../../ir/dim.js";
import type { Ops } from "../names.js";
import { scalarOf, stretch } from "../rules.js";

/** A stack of `size` values like this one, all zero. */
export function stackOf(b: Ops, { aval: { dtype, shape } }: Pick<Val, "aval">, size: Dim): Val {
  return stretch(b, scalarOf(b, dtype, 0), [size, ...shape], []);
}

/** The start of row `i` of a stack of values of this rank. */
function rowStart(b: Ops, i: Val, rank: number): Val {
  const one = b.reshape([i], { shape: [1] });
  if (rank === 0) return one;
  const zeros = b.constant([], { dtype: "int32", shape: [rank], data: new Int32Array(rank) });
  return b.concat([one, zeros], { axis: 0 });
}

/** The stack with `x` as row `i`. */
export function withRow(b: Ops, stack: Val, x: Val, i: Val): Val {
  const row = b.reshape([x], { shape: [1, ...x.aval.shape] });
  return b.dynamicUpdateSlice([stack, row, rowStart(b, i, x.aval.shape.length)]);
}

/** Row `i` of a stack. */
export function rowAt(b: Ops, stack: Val, i: Val): Val {
  const shape = stack.aval.shape.slice(1);
  const row = b.dynamicSlice([stack, rowStart(b, i, shape.length)], { sizes: [1, ...shape] });
  return b.reshape([row], { shape });
}
