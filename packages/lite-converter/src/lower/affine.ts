// Chains of sums and products with constants: what batch normalisation, biases and scalings are when weights are known.
import { broadcastInDimOp, type Node, type Value } from "@millrace/core/graph";
import type { Matcher } from "./matcher.js";

/** One number for all, or one an entry of the last axis. */
export type Coefficient = number | Float64Array;

/** scale · base + shift, along the last axis. */
export interface Affine {
  readonly base: Value;
  readonly scale: Coefficient;
  readonly shift: Coefficient;
  /** How many ops of the graph it stands for. */
  readonly length: number;
}

const ops: ReadonlySet<string> = new Set(["add", "sub", "mul", "div"]);

/** The longest chain that ends in `value` and whose inner values nothing else reads. */
export function affineOf(m: Matcher, value: Value): Affine {
  let [scale, shift]: [Coefficient, Coefficient] = [1, 0];
  let base = value;
  let length = 0;
  while (base.node && ops.has(base.node.op.name) && (length === 0 || m.isPrivate(base))) {
    const link = linkOf(m, base.node);
    if (!link) break;
    shift = combine(
      shift,
      combine(scale, link.shift, (s, t) => s * t),
      (a, b) => a + b,
    );
    scale = combine(scale, link.scale, (a, b) => a * b);
    base = link.x;
    length++;
  }
  return { base, scale, shift, length };
}

/** One op as scale · x + shift, where one of its operands is a constant along the last axis. */
function linkOf(
  m: Matcher,
  { op, inputs: [a, b], outs }: Node,
): { x: Value; scale: Coefficient; shift: Coefficient } | undefined {
  if (outs[0]!.dtype !== "float32") return undefined;
  const right = coefficientOf(m, b!, a!);
  if (right !== undefined) {
    if (op.name === "add") return { x: a!, scale: 1, shift: right };
    if (op.name === "sub") return { x: a!, scale: 1, shift: negate(right) };
    if (op.name === "mul") return { x: a!, scale: right, shift: 0 };
    return { x: a!, scale: combine(1, right, (x, y) => x / y), shift: 0 };
  }
  const left = coefficientOf(m, a!, b!);
  if (left === undefined || op.name === "div") return undefined;
  if (op.name === "add") return { x: b!, scale: 1, shift: left };
  if (op.name === "sub") return { x: b!, scale: -1, shift: left };
  return { x: b!, scale: left, shift: 0 };
}

/** A constant that is one number, or varies along the last axis alone; `x`, which it meets, must have the whole shape. */
function coefficientOf(m: Matcher, value: Value, x: Value): Coefficient | undefined {
  const content = m.stretchedContent(value);
  if (!content || x.node?.op === broadcastInDimOp || m.contentOf(x)) return undefined;
  const { data, shape } = content;
  if (data.length === 1) return Number(data[0]);
  const last = x.aval.shape.at(-1);
  if (shape.at(-1) !== data.length || last !== data.length) return undefined;
  return Float64Array.from(data, Number);
}

function negate(c: Coefficient): Coefficient {
  return combine(c, -1, (x, y) => x * y);
}

function combine(a: Coefficient, b: Coefficient, f: (x: number, y: number) => number): Coefficient {
  if (typeof a === "number" && typeof b === "number") return f(a, b);
  const length = typeof a === "number" ? (b as Float64Array).length : a.length;
  return Float64Array.from({ length }, (_, i) => f(at(a, i), at(b, i)));
}

/** Entry `i` of a coefficient. */
export function at(c: Coefficient, i: number): number {
  return typeof c === "number" ? c : c[i]!;
}

/** Whether every entry is `value`. */
export function isAll(c: Coefficient, value: number): boolean {
  return typeof c === "number" ? c === value : c.every((x) => x === value);
}
