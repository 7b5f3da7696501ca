import { type DType, dtypes } from "@millrace/core";

/** TensorFlow's names of the dtypes: in signatures and protos, and in messages. */
export const dtypeNames: Readonly<
  Record<DType, { readonly proto: string; readonly number: number; readonly said: string }>
> = {
  bool: { proto: "DT_BOOL", number: 10, said: "bool" },
  uint8: { proto: "DT_UINT8", number: 4, said: "uint8" },
  int32: { proto: "DT_INT32", number: 3, said: "int32" },
  int64: { proto: "DT_INT64", number: 9, said: "int64" },
  float32: { proto: "DT_FLOAT", number: 1, said: "float" },
  float64: { proto: "DT_DOUBLE", number: 2, said: "double" },
  int8: { proto: "DT_INT8", number: 6, said: "int8" },
  bfloat16: { proto: "DT_BFLOAT16", number: 14, said: "bfloat16" },
};

/** The dtype that a number of TensorFlow's DataType stands for, if there is one. */
export function dtypeOfNumber(number: number): DType | undefined {
  return (Object.keys(dtypes) as DType[]).find((dtype) => dtypeNames[dtype].number === number);
}

/** The dtype that a name of TensorFlow's DataType stands for, if there is one: "DT_FLOAT". */
export function dtypeOfProto(name: unknown): DType | undefined {
  return (Object.keys(dtypes) as DType[]).find((dtype) => dtypeNames[dtype].proto === name);
}
