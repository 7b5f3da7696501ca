// Cotangents of rows that were gathered: kept as rows, where a scatter would make the whole for each gather.
import type { AnyOp, Attrs, Ops, Val } from "@millrace/core/graph";
import { productDim, zerosOf } from "@millrace/core/graph";

/** What is added at some rows of a value: `values[i]` at row `indices[i]`. */
export interface RowsOf<V> {
  readonly indices: V;
  readonly values: V;
}

/** The cotangents of rows of values, until somebody asks for those of the whole values. */
export class Rows<V extends Val> {
  private readonly byWhole = new Map<V, RowsOf<V>[]>();
  private readonly b: Ops;

  constructor(b: Ops) {
    this.b = b;
  }

  /** Keeps a gather's cotangent, where it is one of rows; else false. */
  take(op: AnyOp, [whole, indices]: readonly V[], attrs: Attrs, g: V): boolean {
    if (op.name !== "gather" || attrs.axis !== 0) return false;
    const { b } = this;
    const count = productDim(indices!.aval.shape);
    const flat = indices!.aval.shape.length === 1;
    // boundary: b is over V
    const row = {
      indices: flat ? indices! : (b.reshape([indices!], { shape: [count] }) as V),
      values: flat ? g : (b.reshape([g], { shape: [count, ...whole!.aval.shape.slice(1)] }) as V),
    };
    this.byWhole.set(whole!, [...(this.byWhole.get(whole!) ?? []), row]);
    return true;
  }

  /** The values that rows are kept of. */
  wholes(): V[] {
    return [...this.byWhole.keys()];
  }

  /** `sum`, or zeros, with the rows of a value added, which are then forgotten; undefined without any. */
  addedTo(sum: V | undefined, whole: V): V | undefined {
    const rows = this.byWhole.get(whole);
    this.byWhole.delete(whole);
    const { b } = this;
    return rows?.reduce(
      // boundary: b is over V
      (all, { indices, values }) => b.scatterAdd([all, indices, values], { axis: 0 }) as V,
      sum ?? (zerosOf(b, whole.aval) as V),
    );
  }

  /** All rows of values that stand for one, one after the other; undefined without any. */
  joined(wholes: readonly V[]): RowsOf<V> | undefined {
    const rows = wholes.flatMap((whole) => this.byWhole.get(whole) ?? []);
    if (rows.length <= 1) return rows[0];
    const { b } = this;
    const wide = rows.some(({ indices }) => indices.aval.dtype === "int64");
    const all = rows.map(({ indices }) => (wide ? b.cast([indices], { dtype: "int64" }) : indices));
    const values = rows.map((row) => row.values);
    // boundary: b is over V
    return { indices: b.concat(all, { axis: 0 }) as V, values: b.concat(values, { axis: 0 }) as V };
  }
}
