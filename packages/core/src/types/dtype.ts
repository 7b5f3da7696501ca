// Element types: one table for the compiler, one for run time, and one order of promotion for both.

/** What each dtype is in JavaScript: the typed array that holds it and the type of one element. */
export interface DTypeTable {
  readonly bool: { readonly array: Uint8Array; readonly item: boolean };
  readonly uint8: { readonly array: Uint8Array; readonly item: number };
  readonly int32: { readonly array: Int32Array; readonly item: number };
  readonly int64: { readonly array: BigInt64Array; readonly item: bigint };
  readonly float32: { readonly array: Float32Array; readonly item: number };
  readonly float64: { readonly array: Float64Array; readonly item: number };
  readonly int8: { readonly array: Int8Array; readonly item: number };
  readonly bfloat16: { readonly array: Uint16Array; readonly item: number };
}

/** The type of a tensor's elements. */
export type DType = { [D in keyof DTypeTable]: D }[keyof DTypeTable];

/**
 * The typed array that reads and writes a dtype: `Float32Array` for float32; a bool is a byte, 0 or 1, and a bfloat16 its
 * 16 bits.
 */
export type TypedArrayOf<D extends DType> = DTypeTable[D]["array"];

/** Any typed array that holds tensor elements. */
export type TypedArray = TypedArrayOf<DType>;

/** One element in JavaScript: `bigint` for int64, `boolean` for bool, else `number`. */
export type ItemOf<D extends DType> = DTypeTable[D]["item"];

/** The floats whose elements are bits, since JavaScript has no typed array of such numbers. */
export type NarrowDType = "bfloat16";

/** The dtypes that typed arrays have by themselves. */
type ArrayDType = Exclude<DType, "bool" | NarrowDType>;

/** The dtype that a typed array stands for; a Uint8Array is uint8, and a Uint16Array stands for none by itself. */
export type DTypeOfArray<A> = { [D in ArrayDType]: A extends TypedArrayOf<D> ? D : never }[ArrayDType];

/** Promotion, lowest first: of two dtypes that meet in an operation the higher wins, but for those in `joins`. */
export const promotionOrder = ["bool", "uint8", "int8", "int32", "int64", "bfloat16", "float32", "float64"] as const;

/** Pairs of which neither holds the other, and the least dtype that holds both. */
export const joins = [["uint8", "int8", "int32"]] as const;

type Join<A, B> = Extract<(typeof joins)[number], readonly [A, B, DType] | readonly [B, A, DType]>;

type HigherOf<A, B, Order = typeof promotionOrder> = Order extends readonly [...infer Lower, infer Top]
  ? Top extends A | B
    ? Top
    : HigherOf<A, B, Lower>
  : never;

type PromotionTable = {
  readonly [A in DType]: { readonly [B in DType]: [Join<A, B>] extends [never] ? HigherOf<A, B> : Join<A, B>[2] };
};

/** The dtype of an operation on two dtypes: `Promote<"int64", "float32">` is `"float32"`. */
export type Promote<A extends DType, B extends DType> = PromotionTable[A][B];

/** The dtypes that products of two operands may be given in: `sumsIn`, or their own. */
export type ProductDType<D extends DType> = D | (D extends "int8" ? "int32" : D extends "bfloat16" ? "float32" : never);

/** The floats that weights and random numbers come in. */
export type FloatDType = "float32" | "float64";

/** The dtype of a float result: floats stay, everything else computes in float32. */
export type FloatOf<D extends DType> = D extends FloatDType | NarrowDType ? D : "float32";

/** The dtypes that count. */
export type IntegerDType = "uint8" | "int8" | "int32" | "int64";

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
  readonly arrayType:
    | "Uint8Array"
    | "Int8Array"
    | "Uint16Array"
    | "Int32Array"
    | "BigInt64Array"
    | "Float32Array"
    | "Float64Array";
  /** The dtype in which ops compute narrow floats; results are rounded once, where they are stored. */
  readonly computesIn?: "float32";
  /** Another dtype that products of it may be summed in, and be given in. */
  readonly sumsIn?: "int32" | "float32";
}

/** Every dtype with its facts. A dtype joins here, in `DTypeTable` and in `promotionOrder`; the rest follows. */
export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  bool: { id: 0, bytes: 1, isFloat: false, isInteger: false, isSigned: false, arrayType: "Uint8Array" },
  uint8: { id: 1, bytes: 1, isFloat: false, isInteger: true, isSigned: false, arrayType: "Uint8Array" },
  int32: { id: 2, bytes: 4, isFloat: false, isInteger: true, isSigned: true, arrayType: "Int32Array" },
  int64: { id: 3, bytes: 8, isFloat: false, isInteger: true, isSigned: true, arrayType: "BigInt64Array" },
  float32: { id: 4, bytes: 4, isFloat: true, isInteger: false, isSigned: true, arrayType: "Float32Array" },
  float64: { id: 5, bytes: 8, isFloat: true, isInteger: false, isSigned: true, arrayType: "Float64Array" },
  int8: {
    id: 6,
    bytes: 1,
    isFloat: false,
    isInteger: true,
    isSigned: true,
    arrayType: "Int8Array",
    sumsIn: "int32",
  },
  bfloat16: {
    id: 7,
    bytes: 2,
    isFloat: true,
    isInteger: false,
    isSigned: true,
    arrayType: "Uint16Array",
    computesIn: "float32",
    sumsIn: "float32",
  },
};

const promotionRank = new Map<DType, number>(promotionOrder.map((dtype, rank) => [dtype, rank]));

/** `Promote` at run time. */
export function promote<A extends DType, B extends DType>(a: A, b: B): Promote<A, B> {
  const join = joins.find(([x, y]) => (x === a && y === b) || (x === b && y === a));
  const higher = (promotionRank.get(a) ?? -1) >= (promotionRank.get(b) ?? -1) ? a : b;
  // boundary: order and joins are those that Promote is derived from, which a test holds for every pair.
  return (join?.[2] ?? higher) as Promote<A, B>;
}

/** Whether a value names a dtype. */
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(dtypes, value);
}

/** The typed arrays that stand for a dtype, by the names of their constructors. */
export const dtypeOfArrayType: ReadonlyMap<string, DType> = new Map([
  ["Uint8ClampedArray", "uint8"],
  ...Object.entries(dtypes)
    .filter(([dtype, info]) => dtype !== "bool" && !info.computesIn)
    // boundary: the keys of the table
    .map(([dtype, { arrayType }]) => [arrayType, dtype as DType] as const),
]);
