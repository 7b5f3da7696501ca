// tf.TensorArray: tensors by number. A list of JavaScript while the numbers are known, else one tensor whose rows they are.
import { formatShape, sameShape } from "../ir/aval.js";
import type { Dim } from "../ir/dim.js";
import { gather } from "../ops/index/gather.js";
import { toIndices } from "../ops/index/rows.js";
import { scatterSetOp } from "../ops/index/scatter.js";
import { apply, isTensor, toTensor } from "../ops/public.js";
import { zerosOf } from "../ops/rules.js";
import { concat, stack } from "../ops/shape/concat.js";
import { reshape } from "../ops/shape/reshape.js";
import { split } from "../ops/shape/split.js";
import { makeOps } from "../ops/table.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { Like } from "../types/operands.js";
import { withDefaults } from "../types/options.js";
import type { Tensor } from "../types/tensor.js";
import { engine } from "./engine.js";
import { Parted } from "./structure.js";
import { type TensorImpl, TracerTensor } from "./tensor.js";

/** How a TensorArray behaves. */
export interface TensorArrayOptions {
  /** The shape of each element; that of the first one written unless said. A loop of a tf.function needs to know it before. */
  readonly elementShape?: readonly number[] | undefined;
  /** Whether a write behind the end makes it longer, which needs numbers that are known; false unless said. */
  readonly dynamicSize?: boolean;
  /** Whether an element may be read once only; false unless said. */
  readonly clearAfterRead?: boolean;
  /** Whether all elements have one shape; true unless said. Without it, `concat` and `read` alone are of use. */
  readonly inferShape?: boolean;
}

type Leaf = TensorImpl & Tensor;
type Settings = Required<Omit<TensorArrayOptions, "elementShape">>;

/** What it holds: elements, null where none was written, or all as the rows of one tensor. */
type Content = { readonly list: readonly (Leaf | null)[] } | { readonly rows: Leaf };

// boundary: every TensorImpl is a Tensor once the op methods are installed
const b = makeOps<TensorImpl>((op, ins, attrs, regions) => {
  return engine.apply(op, ins as readonly Leaf[], attrs, regions) as readonly Leaf[];
});

/**
 * Tensors by number, as loops make and read them: TensorFlow's class. It is a value: `write` gives another one, and this one stays as
 * it was. It goes through tf.whileLoop, tf.cond, tf.scan and tf.function like a tensor, and gradients go through it.
 * What was never written is zero. A number outside is E_ARGUMENT; where it is known only when a function runs, it is written nowhere
 * and read as zeros.
 * @example
 *     const squares = tf.fn((n) => {
 *       const empty = new tf.TensorArray("float32", 4, { elementShape: [] });
 *       return tf.whileLoop(
 *         (i) => tf.less(i, n),
 *         (i, made) => [tf.add(i, 1), made.write(i, tf.cast(tf.mul(i, i), "float32"))],
 *         [tf.scalar(0, "int32"), empty],
 *       )[1].stack();
 *     });
 *     squares(tf.scalar(3, "int32")); // [0, 1, 4, 0]
 */
export class TensorArray extends Parted {
  readonly dtype: DType;
  private readonly shape: readonly Dim[] | null;
  private readonly settings: Settings;
  private readonly content: Content;
  /** The numbers that were read, where each may be read once. */
  private readonly cleared: Set<number>;

  /** @param size how many elements it has */
  constructor(dtype: DType, size = 0, options: TensorArrayOptions = {}) {
    super();
    const given = withDefaults("TensorArray", options, {
      elementShape: undefined,
      dynamicSize: false,
      clearAfterRead: false,
      inferShape: true,
    });
    if (!Number.isSafeInteger(size) || size < 0)
      throw new MillraceError("E_ARGUMENT", `TensorArray: the size must be a whole number from 0, got ${String(size)}`);
    const { elementShape, ...settings } = given;
    this.dtype = dtype;
    this.shape = elementShape ?? null;
    this.settings = settings;
    this.content = { list: new Array<null>(size).fill(null) };
    this.cleared = new Set();
  }

  /** This array with other content. */
  private with(content: Content, shape: readonly Dim[] | null = this.shape, written?: number): TensorArray {
    const cleared = new Set(this.cleared);
    if (written !== undefined) cleared.delete(written);
    return Object.assign(Object.create(TensorArray.prototype), {
      dtype: this.dtype,
      shape,
      settings: this.settings,
      content,
      cleared,
    }) as TensorArray;
  }

  /** The shape of each element; null where it is not known yet. */
  get elementShape(): readonly number[] | null {
    // boundary: users see numbers, as of a tensor
    return this.shape as readonly number[] | null;
  }

  get dynamicSize(): boolean {
    return this.settings.dynamicSize;
  }

  /** How many elements there are: an int32 scalar. */
  size(): Tensor {
    const { content } = this;
    if ("list" in content) return toTensor(content.list.length, "int32");
    const [size] = content.rows.aval.shape;
    // boundary: b is over tensors
    return typeof size === "number"
      ? toTensor(size, "int32")
      : (b.dimension([], { size: size!, dtype: "int32" }) as Leaf);
  }

  /**
   * This array with `value` as element `index`.
   * @throws E_ARGUMENT where the index is outside, E_DTYPE and E_SHAPE where the value is no element of it
   */
  write(index: number | Tensor, value: Like): TensorArray {
    const x = this.element("write", value);
    const shape = this.settings.inferShape ? x.aval.shape : this.shape;
    const at = this.place("write", index, this.settings.dynamicSize);
    if (typeof at === "number" && "list" in this.content) {
      const list = [...this.content.list];
      while (list.length < at) list.push(null);
      list[at] = x;
      return this.with({ list }, shape, at);
    }
    const rows = this.with(this.content, shape).whole("write");
    const places = reshape(toTensor(at, "int32"), [1]);
    const row = reshape(x, [1, ...(x.aval.shape as readonly number[])]);
    // boundary: every Tensor is a TensorImpl
    const next = apply(scatterSetOp, [rows, places, row], { axis: 0 }) as Leaf;
    return this.with({ rows: next }, shape, typeof at === "number" ? at : undefined);
  }

  /**
   * Element `index`; zeros where none was written.
   * @throws E_ARGUMENT where the index is outside, where nothing says what shape an element has that was not written, and where
   * it was read before and `clearAfterRead` is set
   */
  read(index: number | Tensor): Tensor {
    const at = this.place("read", index, false);
    if (typeof at === "number") {
      if (this.settings.clearAfterRead && this.cleared.has(at)) {
        const why = "it was cleared when it was read before, since clearAfterRead is set";
        throw new MillraceError("E_ARGUMENT", `TensorArray.read: element ${at} cannot be read again: ${why}`);
      }
      this.cleared.add(at);
      if ("list" in this.content) return this.content.list[at] ?? this.zeros("read", `element ${at}`);
    }
    // boundary: every Tensor is a TensorImpl
    return gather(this.whole("read"), toTensor(at, "int32")) as Tensor as Leaf;
  }

  /**
   * All elements along a new leading axis.
   * @throws E_ARGUMENT where no element was written and there is no elementShape, E_SHAPE where shapes differ
   */
  stack(): Tensor {
    return this.whole("stack");
  }

  /** The elements at `indices`, along a new leading axis. */
  gather(indices: Like): Tensor {
    // boundary: every Tensor is a TensorImpl
    return gather(this.whole("gather"), toIndices("TensorArray.gather", indices)) as Tensor as Leaf;
  }

  /** All elements, one after the other along their leading axis. */
  concat(): Tensor {
    const { content } = this;
    if ("list" in content) {
      const all = content.list.map((x, i) => x ?? this.zeros("concat", `element ${i}`));
      if (all.length > 0) return concat(all) as Tensor;
    }
    const rows = this.whole("concat");
    const [count, length, ...inner] = rows.shape;
    if (length === undefined) throw new MillraceError("E_SHAPE", "TensorArray.concat: scalars have no axis to join");
    return reshape(rows, [count! * length, ...inner]);
  }

  /**
   * This array with the rows of `value` as its elements.
   * @throws E_ARGUMENT where there are more rows than elements
   */
  unstack(value: Like): TensorArray {
    const rows = toTensor(value, this.dtype) as Leaf;
    this.needDType("unstack", rows);
    const [count, ...shape] = rows.aval.shape;
    if (count === undefined) throw new MillraceError("E_SHAPE", "TensorArray.unstack: a scalar has no rows");
    this.needShape("unstack", shape);
    const { content } = this;
    if (!this.settings.dynamicSize && "list" in content && typeof count === "number" && count !== content.list.length) {
      const sizes = `${count} rows for ${content.list.length} elements`;
      throw new MillraceError("E_ARGUMENT", `TensorArray.unstack: there are ${sizes}; set dynamicSize, or the size`);
    }
    return this.with({ rows }, shape);
  }

  /** This array with the rows of `value` as the elements at `indices`. */
  scatter(indices: Like, value: Like): TensorArray {
    const rows = toTensor(value, this.dtype) as Leaf;
    this.needDType("scatter", rows);
    const shape = rows.aval.shape.slice(1);
    this.needShape("scatter", shape);
    const whole = this.with(this.content, shape).whole("scatter");
    // boundary: every Tensor is a TensorImpl
    const next = apply(scatterSetOp, [whole, toIndices("TensorArray.scatter", indices), rows], { axis: 0 }) as Leaf;
    return this.with({ rows: next }, shape);
  }

  /** This array with the parts of `value` along its leading axis, of these lengths, as its elements. */
  split(value: Like, lengths: readonly number[]): TensorArray {
    const parts: readonly Tensor[] = split(toTensor(value, this.dtype), lengths, 0);
    return parts.reduce<TensorArray>((array, part, i) => array.write(i, part), this);
  }

  /** The same array. */
  identity(): TensorArray {
    return this;
  }

  /** As one tensor. */
  private whole(what: string): Leaf {
    const { content } = this;
    if ("rows" in content) return content.rows;
    const { list } = content;
    if (list.every((x) => x === null)) return this.zeros(what, "an element", [list.length]);
    const odd = list.find((x) => x && this.shape && !sameShape(x.aval.shape, this.shape));
    if (odd) {
      const [got, want] = [formatShape(odd.aval.shape), formatShape(this.shape!)];
      throw new MillraceError("E_SHAPE", `TensorArray.${what}: elements have the shapes ${want} and ${got}`);
    }
    // boundary: every Tensor is a TensorImpl
    return stack(list.map((x, i) => x ?? this.zeros(what, `element ${i}`))) as Tensor as Leaf;
  }

  private zeros(what: string, which: string, lead: readonly number[] = []): Leaf {
    const shape = this.shape ?? this.firstShape();
    if (shape) return zerosOf(b, { dtype: this.dtype, shape: [...lead, ...shape] }) as Leaf;
    const why = `${which} was not written, and nothing says what shape it has: give elementShape`;
    throw new MillraceError("E_ARGUMENT", `TensorArray.${what}: ${why}`);
  }

  private firstShape(): readonly Dim[] | undefined {
    return "list" in this.content ? this.content.list.find((x) => x !== null)?.aval.shape : undefined;
  }

  private element(what: string, value: Like): Leaf {
    const x = toTensor(value, this.dtype) as Leaf;
    this.needDType(what, x);
    this.needShape(what, x.aval.shape);
    // A variable is written as it is now.
    return engine.trace ? x : (engine.snapshot(x) as Leaf);
  }

  private needDType(what: string, { dtype }: Leaf): void {
    if (dtype === this.dtype) return;
    throw new MillraceError("E_DTYPE", `TensorArray.${what}: the array is ${this.dtype}, got ${dtype}`);
  }

  private needShape(what: string, shape: readonly Dim[]): void {
    if (!this.settings.inferShape || !this.shape || sameShape(this.shape, shape) !== false) return;
    const [got, want] = [formatShape(shape), formatShape(this.shape)];
    throw new MillraceError("E_SHAPE", `TensorArray.${what}: elements have shape ${want}, got ${got}`);
  }

  /** An index as a number where it is known, held to be one of an element. */
  private place(what: string, index: number | Tensor, mayGrow: boolean): number | Tensor {
    if (isTensor(index) && (engine.trace || (index as Tensor) instanceof TracerTensor)) return index;
    const at = isTensor(index) ? Number(index.itemSync()) : index;
    const size = "list" in this.content ? this.content.list.length : this.content.rows.aval.shape[0]!;
    const inside = Number.isSafeInteger(at) && at >= 0 && (mayGrow || typeof size !== "number" || at < size);
    if (inside && mayGrow && "rows" in this.content && Number(at) >= Number(size))
      throw new MillraceError("E_UNIMPLEMENTED", "TensorArray.write: one that went through a loop cannot grow");
    if (inside) return at;
    const hint = mayGrow ? "" : "; dynamicSize lets it grow";
    throw new MillraceError("E_ARGUMENT", `TensorArray.${what}: there is no element ${at} of ${String(size)}${hint}`);
  }

  // ---- a structure of tensors -----------------------------------------------------------------------------------------

  override parts(): readonly Tensor[] {
    return [this.whole("loop")];
  }

  override withParts([rows]: readonly unknown[]): TensorArray {
    // boundary: what stands for the part
    return this.with({ rows: rows as Leaf }, (rows as Leaf).aval.shape.slice(1));
  }

  override isLike(other: Parted): boolean {
    return other instanceof TensorArray && other.dtype === this.dtype;
  }
}
