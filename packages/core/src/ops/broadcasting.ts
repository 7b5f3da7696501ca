// Two operands of different shapes: what they broadcast to, and in eager code the op on them as one program.

import { type Aval, formatShape } from "../ir/aval.js";
import { type Dim, eqDim } from "../ir/dim.js";
import { type AnyOp, type Composite, internalComposite, type NoAttrs, noRule } from "../ir/op.js";
import { remember } from "../ir/remember.js";
import type { MillraceError } from "../types/errors.js";
import { refusal } from "./refuse.js";
import { axesOf, stretch } from "./rules.js";

/** The shape that two shapes broadcast to, or undefined. Undecided sizes must be equal. */
export function broadcastShapes(a: readonly Dim[], b: readonly Dim[]): Dim[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === 1) shape.push(y);
    else if (y === 1) shape.push(x);
    else if (eqDim(x, y) === false) return undefined;
    else shape.push(typeof x === "number" ? x : y);
  }
  return shape;
}

export function noBroadcast(name: string, a: Aval, b: Aval): MillraceError {
  const [x, y] = [formatShape(a.shape), formatShape(b.shape)];
  return refusal(`${name}.broadcast`, `${x} and ${y} do not broadcast`, [a, b]);
}

const known = new Map<AnyOp, Composite<string, NoAttrs>>();

/**
 * `op` on operands that broadcast. It is not in the table: tapes and traces see the op and the broadcasts one by one.
 */
export function broadcasting(op: AnyOp): Composite<string, NoAttrs> {
  return remember(known, op, () => define(op));
}

function define(op: AnyOp): Composite<string, NoAttrs> {
  return internalComposite<NoAttrs>({
    name: op.name,
    version: op.version,
    arity: 2,
    infer([x, y]) {
      const shape = broadcastShapes(x!.shape, y!.shape);
      if (!shape) throw noBroadcast(op.name, x!, y!);
      const wide = { dtype: x!.dtype, shape };
      return op.infer([wide, { dtype: y!.dtype, shape }], {}, []);
    },
    lower(b, [x, y]) {
      const shape = broadcastShapes(x!.aval.shape, y!.aval.shape)!;
      const wide = [x!, y!].map((v) => {
        const { length } = v.aval.shape;
        return stretch(
          b,
          v,
          shape,
          axesOf(length).map((i) => i + shape.length - length),
        );
      });
      return b.apply(op, wide, {}, []);
    },
    vjp: noRule("it is never recorded"),
    batch: noRule("it is never recorded"),
  });
}
