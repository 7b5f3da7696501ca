/// <reference lib="esnext.disposable" preserve="true" />
// The tensor that users hold. Its methods are generic over `this`, so that Tensor<[32, 10]> stays a Tensor<[number, 10]>.
import type { DType, ItemOf, TypedArrayOf } from "./dtype.js";
import type { Nested } from "./literals.js";
import type { TensorMethods } from "./methods.gen.js";
import type { Like } from "./operands.js";
import type { Assign, AssignStep } from "./rules/assign.js";
import type { AnyShape, Arg, Shape } from "./shape.js";
import type { Signal } from "./signal.js";

/** Options of what waits for the device. */
export interface AwaitOptions {
  /**
   * Rejects with its reason where it aborts. The program that makes what was waited for is cancelled then, unless
   * somebody else awaits something of it; its other results are E_ABORTED, variables that it assigns stay as they were.
   */
  readonly signal?: Signal | null;
}

/**
 * An n-dimensional array with sizes `S` and element type `D`, living on one device. Its values never change. Bare
 * `Tensor` has any shape and dtype: it flows anywhere and is checked at run time.
 *
 *     const x: Tensor<[2, 3], "float32"> = tf.zeros([2, 3]);
 */
// boundary: a bare Tensor is of any dtype
export interface Tensor<out S extends Shape = AnyShape, out D extends DType = any> extends TensorMethods {
  /** The sizes, frozen. */
  readonly shape: S;
  readonly dtype: D;
  /** The number of axes. */
  readonly rank: S["length"];
  /** The number of elements. */
  readonly size: number;
  /** Where the elements live: "cpu:0". */
  readonly device: string;
  /** Unique among the tensors of this process's engine. */
  readonly id: number;
  readonly isDisposed: boolean;

  /** A copy of the elements in row-major order. */
  data(options?: AwaitOptions): Promise<TypedArrayOf<D>>;
  /** A copy of the elements as nested arrays: `number[][]` for a float matrix. */
  array<T extends Tensor>(this: T, options?: AwaitOptions): Promise<Nested<T["shape"], T["dtype"]>>;
  /** The only element. Throws E_SHAPE where there is not exactly one. */
  item(options?: AwaitOptions): Promise<ItemOf<D>>;
  /** `data()` at once. Throws E_SYNC_READ inside a trace and where the backend cannot; use `await data()` there. */
  dataSync(): TypedArrayOf<D>;
  /** `array()` at once; as `dataSync`. */
  arraySync<T extends Tensor>(this: T): Nested<T["shape"], T["dtype"]>;
  /** `item()` at once; as `dataSync`. */
  itemSync(): ItemOf<D>;

  /** Writes shape, dtype and values to the logger. */
  print(verbose?: boolean): void;
  /** Another handle on the same elements, disposed of by itself. */
  clone<T extends Tensor>(this: T): Tensor<T["shape"], T["dtype"]>;
  /** This tensor on `device`, copied where it lives elsewhere. */
  to<T extends Tensor>(this: T, device: string): Tensor<T["shape"], T["dtype"]>;
  /** Gives the memory back now; later use throws E_DISPOSED. */
  dispose(): void;
  [Symbol.dispose](): void;
  /** Shape, dtype and device; never reads the device. */
  toString(): string;
  /** What `JSON.stringify` writes: no values, since those may lie on a device; `await array()` gives them. */
  toJSON(): { readonly dtype: DType; readonly shape: readonly (number | string)[]; readonly device: string };
}

/** A tensor of rank 0. */
// boundary: a bare Scalar is of any dtype
export type Scalar<D extends DType = any> = Tensor<[], D>;

/**
 * A value that can be assigned. Where an op reads it, it is a tensor of its value at that moment.
 *
 *     const w = tf.variable(tf.zeros([784, 10]));
 *     w.assignSub(tf.mul(gradient, 0.1));
 */
// boundary: a bare Variable is of any dtype
export interface Variable<out S extends Shape = AnyShape, out D extends DType = any> extends Tensor<S, D> {
  /** Unique among the engine's variables. */
  readonly name: string;
  /** Whether gradients and optimizers see it unless told otherwise. */
  readonly trainable: boolean;
  /** The value now, which later assignments do not change. */
  read<V extends Tensor>(this: V): Tensor<V["shape"], V["dtype"]>;
  /** Sets the value; shape (E_SHAPE) and dtype (E_DTYPE) must be the variable's. Returns the variable. */
  assign<V extends Variable, const X extends Like>(this: V, value: Arg<Assign<V, X>, X>): V;
  /** Adds to the value; the operand broadcasts to the variable's shape. Returns the variable. */
  assignAdd<V extends Variable, const X extends Like>(this: V, value: Arg<AssignStep<"assignAdd", V, X>, X>): V;
  /** Subtracts from the value; as `assignAdd`. Returns the variable. */
  assignSub<V extends Variable, const X extends Like>(this: V, value: Arg<AssignStep<"assignSub", V, X>, X>): V;
}
