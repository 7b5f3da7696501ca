// Rows of a tensor whose other rows are zero: what the gradient of a gather is.
import { formatShape } from "../ir/aval.js";
import { eqDim } from "../ir/dim.js";
import { toIndices } from "../ops/index/rows.js";
import { toTensor } from "../ops/public.js";
import { zerosOf } from "../ops/rules.js";
import { makeOps } from "../ops/table.js";
import { MillraceError } from "../types/errors.js";
import type { DType, Tensor } from "../types/index.js";
import type { Like } from "../types/operands.js";
import type { Shape } from "../types/shape.js";
import type { Buf } from "./backend.js";
import { engine } from "./engine.js";
import { tidy } from "./memory.js";
import { TensorImpl } from "./tensor.js";
import { TensorType } from "./tensor-type.js";

/**
 * A tensor of which only some rows are not zero: `values[i]` is added at row `indices[i]`. An op that is given one computes with
 * the whole tensor, which is made then; optimizers change the rows alone.
 */
// boundary: bare IndexedSlices are of any shape and dtype
export interface IndexedSlices<out S extends Shape = any, out D extends DType = any> extends Tensor<S, D> {
  /** The rows: [n, ...shape[1:]]. */
  readonly values: Tensor;
  /** Where they are: [n], int32 or int64. One that stands twice gets the sum; one outside gets none. */
  readonly indices: Tensor;
  /** The whole tensor. */
  toDense(): Tensor<S, D>;
}

type Leaf = TensorImpl & Tensor;

const b = makeOps<TensorImpl>((op, ins, attrs, regions) => {
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  return engine.apply(op, ins as readonly Leaf[], attrs, regions) as readonly Leaf[];
});

/** The class behind `IndexedSlices`: its buffer is made when it is asked for. */
export class IndexedSlicesImpl extends TensorImpl {
  readonly values: Leaf;
  readonly indices: Leaf;
  private made = false;

  constructor(values: Leaf, indices: Leaf, shape: readonly number[]) {
    // A type that no cache knows: whoever wants the buffer asks `live` first.
    super(new TensorType(0, { dtype: values.dtype, shape }, values.type.device), 0, null);
    this.values = values;
    this.indices = indices;
  }

  toDense(): Tensor {
    const zeros = engine.near(this.values, () => zerosOf(b, this.aval));
    // boundary: b is over tensors
    return b.scatterAdd([zeros, this.indices, this.values], { axis: 0 }) as Leaf;
  }

  override live(what: string): Buf {
    if (!this.made && !this.isDisposed) {
      // It belongs to these slices, not to a tidy around its first reader.
      const { type, buf, page } = engine.outside(() => tidy(() => this.toDense())) as Leaf;
      Object.assign(this, { type, buf, page, made: true });
    }
    return super.live(what);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.values.dispose();
    this.indices.dispose();
    if (this.made) super.dispose();
    else this.buf = -1;
  }

  override toString(): string {
    return `IndexedSlices ${this.dtype}${formatShape(this.aval.shape)}, ${formatShape(this.indices.aval.shape)} rows of it, on ${this.device}${this.isDisposed ? " (disposed)" : ""}`;
  }
}

/** Whether a tensor is held as rows, as the gradient of a gather is. */
export function isIndexedSlices(x: unknown): x is IndexedSlices {
  return x instanceof IndexedSlicesImpl;
}

/**
 * The tensor of this shape in which `values[i]` is added at row `indices[i]`, and all else is zero.
 * @throws E_SHAPE where the values are not as many rows as there are indices
 * @example tf.indexedSlices([[1, 2], [3, 4]], [2, 0], [3, 2]).toDense() // [[3, 4], [0, 0], [1, 2]]
 */
export function indexedSlices(values: Like, indices: Like, shape: readonly number[]): IndexedSlices {
  // boundary: every Tensor is a TensorImpl
  const [rows, at] = [toTensor(values) as Leaf, toIndices("indexedSlices", indices) as Leaf];
  const [count, ...inner] = rows.aval.shape;
  const fits =
    at.rank === 1 &&
    shape.length > 0 &&
    count !== undefined &&
    eqDim(count, at.aval.shape[0]!) === true &&
    inner.length === shape.length - 1 &&
    inner.every((d, i) => eqDim(d, shape[i + 1]!) === true);
  if (!fits) {
    const got = `values ${formatShape(rows.aval.shape)} and indices ${formatShape(at.aval.shape)}`;
    throw new MillraceError("E_SHAPE", `indexedSlices: ${got} are not rows of ${formatShape(shape)}`);
  }
  // boundary: as in Leaf
  return new IndexedSlicesImpl(rows, at, shape) as TensorImpl as TensorImpl & IndexedSlices;
}
