// Element types: one table for the compiler, one for run time, and one order of promotion for both.

/** What each dtype is in JavaScript: the typed array that holds it and the type of one element. */
export interface DTypeTable {
  readonly bool: { readonly array: Uint8Array; readonly item: boolean };
  readonly uint8: { readonly array: Uint8Array; readonly item: number };
  readonly int32: { readonly array: Int32Array; readonly item: number };
  readonly int64: { readonly array: BigInt64Array; readonly item: bigint };
  readonly float32: { readonly array: Float32Array; readonly item: number };
  readonly float64: { readonly array: Float64Array; readonly item: number };
}

/** The type of a tensor's elements. */
export type DType = { [D in keyof DTypeTable]: D }[keyof DTypeTable];

/** The typed array that reads and writes a dtype: `Float32Array` for float32; a bool is a byte, 0 or 1. */
export type TypedArrayOf<D extends DType> = DTypeTable[D]["array"];

/** Any typed array that holds tensor elements. */
export type TypedArray = TypedArrayOf<DType>;

/** One element in JavaScript: `bigint` for int64, `boolean` for bool, else `number`. */
export type ItemOf<D extends DType> = DTypeTable[D]["item"];

/** The dtype that a typed array stands for; a Uint8Array is uint8. */
export type DTypeOfArray<A> = {
  [D in Exclude<DType, "bool">]: A extends TypedArrayOf<D> ? D : never;
}[Exclude<DType, "bool">];

/** Promotion, lowest first: of two dtypes that meet in an operation the higher wins. */
export const promotionOrder = ["bool", "uint8", "int32", "int64", "float32", "float64"] as const;

type HigherOf<A, B, Order = typeof promotionOrder> = Order extends readonly [...infer Lower, infer Top]
  ? Top extends A | B
    ? Top
    : HigherOf<A, B, Lower>
  : never;

type PromotionTable = { readonly [A in DType]: { readonly [B in DType]: HigherOf<A, B> } };

/** The dtype of an operation on two dtypes: `Promote<"int64", "float32">` is `"float32"`. */
export type Promote<A extends DType, B extends DType> = PromotionTable[A][B];

/** The dtype of a float result: float64 stays, everything else computes in float32. */
export type FloatOf<D extends DType> = D extends "float64" ? "float64" : "float32";

/** The dtypes with a fraction. */
export type FloatDType = "float32" | "float64";

/** The dtypes that count: what an index may be. */
export type IntegerDType = "uint8" | "int32" | "int64";

/** What run time knows of a dtype. */
export interface DTypeInfo {
  /** The number that programs and native code know the dtype by; it never changes meaning. */
  readonly id: number;
  /** Bytes an element. */
  readonly bytes: number;
  readonly isFloat: boolean;
  /** Whole numbers; bool is none. */
  readonly isInteger: boolean;
  readonly isSigned: boolean;
  /** The name of the typed array's constructor on globalThis. */
  readonly arrayType: "Uint8Array" | "Int32Array" | "BigInt64Array" | "Float32Array" | "Float64Array";
}

/** Every dtype with its facts. A dtype joins here, in `DTypeTable` and in `promotionOrder`; the rest follows. */
export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  bool: { id: 0, bytes: 1, isFloat: false, isInteger: false, isSigned: false, arrayType: "Uint8Array" },
  uint8: { id: 1, bytes: 1, isFloat: false, isInteger: true, isSigned: false, arrayType: "Uint8Array" },
  int32: { id: 2, bytes: 4, isFloat: false, isInteger: true, isSigned: true, arrayType: "Int32Array" },
  int64: { id: 3, bytes: 8, isFloat: false, isInteger: true, isSigned: true, arrayType: "BigInt64Array" },
  float32: { id: 4, bytes: 4, isFloat: true, isInteger: false, isSigned: true, arrayType: "Float32Array" },
  float64: { id: 5, bytes: 8, isFloat: true, isInteger: false, isSigned: true, arrayType: "Float64Array" },
};

const promotionRank = new Map<DType, number>(promotionOrder.map((dtype, rank) => [dtype, rank]));

/** `Promote` at run time. */
export function promote<A extends DType, B extends DType>(a: A, b: B): Promote<A, B> {
  const higher = (promotionRank.get(a) ?? -1) >= (promotionRank.get(b) ?? -1) ? a : b;
  // boundary: the order is the one that Promote is derived from, which a test holds for every pair.
  return higher as Promote<A, B>;
}

/** Whether a value names a dtype. */
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(dtypes, value);
}
