import type { MayEqual, Shape, ShapeError, ShowShape, ShowSize, UnknownRank } from "../shape.js";

/**
 * Rule: a sequence [batch, time, features], a kernel [features, n] and a recurrent kernel [units, n] give
 * [batch, time, units].
 */
export type Recurrent<Op extends string, X extends Shape, K extends Shape, R extends Shape> =
  UnknownRank<X> extends true
    ? [number, number, number]
    : X extends readonly [infer N extends number, infer T extends number, infer F extends number]
      ? UnknownRank<R> extends true
        ? [N, T, number]
        : R extends readonly [infer Units extends number, number]
          ? UnknownRank<K> extends true
            ? [N, T, Units]
            : K extends readonly [infer G extends number, number]
              ? MayEqual<F, G> extends true
                ? [N, T, Units]
                : ShapeError<`${Op}: a kernel ${ShowShape<K>} needs ${ShowSize<G>} features, got ${ShowShape<X>}`>
              : ShapeError<`${Op}: kernel must be [features,n], got ${ShowShape<K>}`>
          : ShapeError<`${Op}: recurrent kernel must be [units,n], got ${ShowShape<R>}`>
      : ShapeError<`${Op}: input must be [batch,time,features], got ${ShowShape<X>}`>;

/** A sequence's shape without its time. */
export type WithoutTime<S> = S extends readonly [infer N extends number, number, infer Units extends number]
  ? [N, Units]
  : Shape;
