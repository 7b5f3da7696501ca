import type { DType } from "../types/dtype.js";
import type { Attrs } from "./attrs.js";
import type { AnyOp, Op } from "./op.js";

/** Nested numbers: the content of a small tensor; a bare number is rank 0. */
export type Content = number | bigint | readonly Content[];

/** Operands by shape: they get different random data, out of `domain`, in every dtype that the op accepts. */
export interface Sample<A> {
  readonly ins: readonly (readonly number[])[];
  readonly attrs: A;
  /** The dtype of each operand; "*" is the dtype that is varied, which is the default for all. */
  readonly dtypes?: readonly (DType | "*")[];
  /** Least and greatest value of each operand, where the op is not defined or not smooth everywhere. */
  readonly domain?: readonly [number, number] | readonly (readonly [number, number])[];
  /** False where a finite difference says nothing: the sample sits at a kink. */
  readonly smooth?: boolean;
}

/** Operands by content, and what the answer is. */
export interface Edge<A> {
  readonly ins: readonly Content[];
  readonly attrs: A;
  readonly want: Content | readonly Content[];
  /** Dtypes of the operands; float32 unless said. */
  readonly dtypes?: readonly DType[];
}

/** Operands by content, and the cotangent of each where the result's is all ones: kinks, zeros and infinities, in float64. */
export interface GradientEdge<A> {
  readonly ins: readonly Content[];
  readonly attrs: A;
  readonly want: readonly Content[];
}

/** Operands that the op refuses, and the label of the rule that they break. */
export interface Reject<A> {
  readonly ins: readonly (readonly number[])[];
  readonly attrs: A;
  readonly code: string;
  readonly dtypes?: readonly DType[];
}

/** Operands that the op refuses, and the changes offered: `transposeB: true`. */
export interface RepairCase<A> {
  readonly ins: readonly (readonly number[])[];
  readonly attrs: A;
  /** What the one change that fits says, with the shape it gives; undefined where none or several fit. */
  readonly want: string | undefined;
}

/** What the generated tests of one op are made of. A separate export, so that bundlers drop it. */
export interface Cases<A = Attrs> {
  readonly op: AnyOp;
  readonly samples: readonly Sample<A>[];
  readonly edges?: readonly Edge<A>[] | undefined;
  readonly reject?: readonly Reject<A>[] | undefined;
  readonly gradients?: readonly GradientEdge<A>[] | undefined;
  readonly repairs?: readonly RepairCase<A>[] | undefined;
}

/**
 * Cases with the attributes of their op. `make` runs when a test asks, so that programs pay nothing for them.
 */
/* @__NO_SIDE_EFFECTS__ */
export function cases<A>(op: Op<string, A, "one"> | Op<string, A, "many">, make: () => Omit<Cases<A>, "op">): Cases<A> {
  let made: Omit<Cases<A>, "op"> | undefined;
  const table = (): Omit<Cases<A>, "op"> => (made ??= make());
  return {
    op,
    get samples() {
      return table().samples;
    },
    get edges() {
      return table().edges;
    },
    get reject() {
      return table().reject;
    },
    get gradients() {
      return table().gradients;
    },
    get repairs() {
      return table().repairs;
    },
  };
}

/** Shapes that every elementwise op is tested on: empty, rank 0 and 6, and sizes around vector widths and blocks. */
/* @__NO_SIDE_EFFECTS__ */
export function elementwiseSamples<A>(arity: number, attrs: A, domain?: Sample<A>["domain"]): Sample<A>[] {
  const shapes = [[], [0], [1], [15], [17], [2, 3], [1025], [1, 2, 1, 2, 1, 3]];
  return shapes.map((shape) => {
    const sample = { ins: Array.from({ length: arity }, () => shape), attrs };
    return domain ? { ...sample, domain } : sample;
  });
}

/** One value for each axis of a rank. */
/* @__NO_SIDE_EFFECTS__ */
export function axes(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}

/** One value for each truth. */
/* @__NO_SIDE_EFFECTS__ */
export function both<T>(make: (flag: boolean) => T): T[] {
  return [make(false), make(true)];
}
