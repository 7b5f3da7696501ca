// Assertions on types: a wrong one does not compile.

/** True where two types are the same, not merely assignable. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `is<[2, 3], "float32">()(x, true)`: x has exactly this shape, and dtype where one is given. */
export declare function is<S, D = unknown>(): <T extends { readonly shape: any; readonly dtype: any }>(
  tensor: T,
  ok: Equal<T["shape"], S> extends true ? (unknown extends D ? true : Equal<T["dtype"], D>) : false,
) => void;

/** `same<number[]>()(value, true)`: the value's type is exactly this. */
export declare function same<Wanted>(): <T>(value: T, ok: Equal<T, Wanted>) => void;
