import type { DType } from "@millrace/core";
import type { TensorType } from "./enums.js";

/** What the format calls a dtype. */
export const dtypeToTensorType: Readonly<Record<DType, TensorType>> = {
  bool: "BOOL",
  uint8: "UINT8",
  int32: "INT32",
  int64: "INT64",
  float32: "FLOAT32",
  float64: "FLOAT64",
  int8: "INT8",
  bfloat16: "BFLOAT16",
};
