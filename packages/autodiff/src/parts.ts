// Cotangents of slices: put side by side, where a sum of padded ones would write every part as large as the whole.
import type { AnyOp, Attrs, Ops, Val } from "@millrace/core/graph";
import { fillLike, stretch } from "@millrace/core/graph";

/** The cotangent of the elements `begin` to `end` of an axis. */
interface Part<V> {
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
  readonly g: V;
}

/** The cotangents of parts of values, until somebody asks for those of the whole values. */
export class Parts<V extends Val> {
  private readonly byWhole = new Map<V, Part<V>[]>();
  private readonly b: Ops;

  constructor(b: Ops) {
    this.b = b;
  }

  /** Keeps a slice's cotangent, where it is one of consecutive elements of one axis of a known size; else false. */
  take(op: AnyOp, whole: V, attrs: Attrs, g: V): boolean {
    if (op.name !== "slice") return false;
    const { shape } = whole.aval;
    // boundary: the attributes of slice
    const { start, limit, strides } = attrs as { start: unknown[]; limit: unknown[]; strides: number[] };
    const cut = shape.flatMap((size, i) => (start[i] === 0 && limit[i] === size && strides[i] === 1 ? [] : [i]));
    const [axis = 0] = cut;
    const [begin, end, size] = [start[axis], limit[axis], shape[axis]];
    if (cut.length !== 1 || strides[axis] !== 1 || typeof size !== "number") return false;
    if (typeof begin !== "number" || typeof end !== "number") return false;
    const parts = this.byWhole.get(whole) ?? [];
    this.byWhole.set(whole, [...parts, { axis, begin, end, g }]);
    return true;
  }

  /** The values that parts are kept of. */
  wholes(): V[] {
    return [...this.byWhole.keys()];
  }

  /** What the parts of a value add up to, which are then forgotten; undefined without any. */
  joined(whole: V): V | undefined {
    const parts = this.byWhole.get(whole);
    this.byWhole.delete(whole);
    const rows: Part<V>[][] = [];
    for (const part of (parts ?? []).sort((p, q) => p.begin - q.begin)) {
      const row = rows.find((r) => r[0]!.axis === part.axis && r.at(-1)!.end <= part.begin);
      if (row) row.push(part);
      else rows.push([part]);
    }
    const sums = rows.map((row) => this.sideBySide(row, whole));
    // boundary: b is over V
    return sums.length === 0 ? undefined : sums.reduce((x, y) => this.b.add([x, y]) as V);
  }

  private sideBySide(row: readonly Part<V>[], whole: V): V {
    const { axis } = row[0]!;
    const { shape } = whole.aval;
    const zeros = (size: number): Val => {
      const zero = fillLike(this.b, { aval: { dtype: whole.aval.dtype, shape: [] } }, 0);
      return stretch(this.b, zero, shape.with(axis, size), []);
    };
    const all: Val[] = [];
    let at = 0;
    for (const { begin, end, g } of row) {
      if (begin > at) all.push(zeros(begin - at));
      all.push(g);
      at = end;
    }
    // boundary: take has seen that the size is a number
    const size = shape[axis] as number;
    if (at < size) all.push(zeros(size - at));
    // boundary: as in joined
    return (all.length === 1 ? all[0] : this.b.concat(all, { axis })) as V;
  }
}
