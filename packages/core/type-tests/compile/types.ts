// The tables of dtypes and a few rules by themselves.
import type {
  DType,
  DTypeOfArray,
  FloatOf,
  ItemOf,
  ProductDType,
  Promote,
  TypedArrayOf,
} from "@millrace/core/types/dtype";
import type { Broadcast } from "@millrace/core/types/rules/broadcast";
import type { ProductOf } from "@millrace/core/types/rules/reshape";
import type { NamedShape, Shape, ShowShape, Sym } from "@millrace/core/types/shape";
import type { Equal } from "../expect.js";

type True<T extends true> = T;
type B = Sym<"batch">;

export type Dtypes = [
  True<Equal<DType, "bool" | "uint8" | "int8" | "int32" | "int64" | "bfloat16" | "float32" | "float64">>,
  True<Equal<Promote<"int64", "float32">, "float32">>,
  True<Equal<Promote<"float32", "int64">, "float32">>,
  True<Equal<Promote<"bool", "bool">, "bool">>,
  True<Equal<Promote<"uint8", "int32">, "int32">>,
  True<Equal<Promote<"float32", "float64">, "float64">>,
  True<Equal<Promote<"int8", "uint8">, "int32">>,
  True<Equal<Promote<"bfloat16", "int64">, "bfloat16">>,
  True<Equal<Promote<"bfloat16", "float32">, "float32">>,
  True<Equal<FloatOf<"int64">, "float32">>,
  True<Equal<FloatOf<"bfloat16">, "bfloat16">>,
  True<Equal<ProductDType<"int8">, "int8" | "int32">>,
  True<Equal<ProductDType<"float32">, "float32">>,
  True<Equal<TypedArrayOf<"int64">, BigInt64Array>>,
  True<Equal<ItemOf<"int64">, bigint>>,
  True<Equal<DTypeOfArray<Uint8Array>, "uint8">>,
  True<Equal<DTypeOfArray<Int8Array>, "int8">>,
  True<Equal<DTypeOfArray<Uint16Array>, never>>,
  True<Equal<DTypeOfArray<Float64Array>, "float64">>,
];

export type Shapes = [
  True<Equal<Broadcast<"add", [2, 1, 4], [3, 1]>, [2, 3, 4]>>,
  True<Equal<Broadcast<"add", [], [3, 1]>, [3, 1]>>,
  True<Equal<Broadcast<"add", [number, 784], [2, 784]>, [2, 784]>>,
  True<Equal<Broadcast<"add", [number, 784], [B, 784]>, [B, 784]>>,
  True<Equal<Broadcast<"add", [1, 784], [number, 784]>, [number, 784]>>,
  True<Equal<Broadcast<"add", number[], [1, 784]>, Shape>>,
  True<Equal<NamedShape<readonly ["batch", 784]>, [B, 784]>>,
  True<Equal<ShowShape<[B, 2, number]>, "[batch,2,?]">>,
  True<Equal<ShowShape<number[]>, "[...]">>,
  True<Equal<ProductOf<[2, 3, 4]>, 24>>,
  True<Equal<ProductOf<[2, number]>, number>>,
];
