// Tables of the TFLite format: the fields that are read and written, by their ids, with types and defaults. A field that is
// not here is skipped when a file is read. This one list makes the writer, the reader and their types.
import type { BuiltinOptions, enums } from "./enums.js";

/** How a field is stored. `enum` is a byte or word that counts into a list; `tables` a vector of tables. */
export type Field =
  | { readonly id: number; readonly type: Scalar; readonly default?: number | boolean }
  | { readonly id: number; readonly enum: EnumName; readonly default?: string }
  | { readonly id: number; readonly string: true }
  | { readonly id: number; readonly vector: "int32" | "int64" | "float32" | "uint8" }
  | { readonly id: number; readonly table: string }
  | { readonly id: number; readonly tables: string }
  /** A table whose type is told by the byte of the field before it. */
  | { readonly id: number; readonly options: true };

export type Scalar = "bool" | "int8" | "uint8" | "int32" | "uint32" | "uint64" | "float32";
type EnumName = keyof typeof enums;

export const tables = {
  Model: {
    version: { id: 0, type: "uint32" },
    operatorCodes: { id: 1, tables: "OperatorCode" },
    subgraphs: { id: 2, tables: "SubGraph" },
    description: { id: 3, string: true },
    buffers: { id: 4, tables: "Buffer" },
    metadata: { id: 6, tables: "Metadata" },
    signatureDefs: { id: 7, tables: "SignatureDef" },
  },
  OperatorCode: {
    // Files of before 2020 have the code in a byte; newer ones there as well, or 127 where it does not fit.
    deprecatedBuiltinCode: { id: 0, type: "int8" },
    customCode: { id: 1, string: true },
    version: { id: 2, type: "int32", default: 1 },
    builtinCode: { id: 3, type: "int32" },
  },
  SubGraph: {
    tensors: { id: 0, tables: "Tensor" },
    inputs: { id: 1, vector: "int32" },
    outputs: { id: 2, vector: "int32" },
    operators: { id: 3, tables: "Operator" },
    name: { id: 4, string: true },
  },
  Tensor: {
    shape: { id: 0, vector: "int32" },
    type: { id: 1, enum: "tensorType" },
    buffer: { id: 2, type: "uint32" },
    name: { id: 3, string: true },
    quantization: { id: 4, table: "QuantizationParameters" },
    isVariable: { id: 5, type: "bool" },
    shapeSignature: { id: 7, vector: "int32" },
    hasRank: { id: 8, type: "bool" },
  },
  QuantizationParameters: {
    scale: { id: 2, vector: "float32" },
    zeroPoint: { id: 3, vector: "int64" },
    quantizedDimension: { id: 6, type: "int32" },
  },
  Operator: {
    opcodeIndex: { id: 0, type: "uint32" },
    inputs: { id: 1, vector: "int32" },
    outputs: { id: 2, vector: "int32" },
    builtinOptions: { id: 4, options: true },
  },
  Buffer: {
    data: { id: 0, vector: "uint8" },
    // A file over 2 GB has its data behind the tables.
    offset: { id: 1, type: "uint64" },
    size: { id: 2, type: "uint64" },
  },
  Metadata: { name: { id: 0, string: true }, buffer: { id: 1, type: "uint32" } },
  SignatureDef: {
    inputs: { id: 0, tables: "TensorMap" },
    outputs: { id: 1, tables: "TensorMap" },
    signatureKey: { id: 2, string: true },
    subgraphIndex: { id: 4, type: "uint32" },
  },
  TensorMap: { name: { id: 0, string: true }, tensorIndex: { id: 1, type: "uint32" } },

  AbsOptions: {},
  AddOptions: { fusedActivationFunction: { id: 0, enum: "activation" } },
  ATan2Options: {},
  ArgMaxOptions: { outputType: { id: 0, enum: "tensorType" } },
  ArgMinOptions: { outputType: { id: 0, enum: "tensorType" } },
  BatchMatMulOptions: {
    adjX: { id: 0, type: "bool" },
    adjY: { id: 1, type: "bool" },
    asymmetricQuantizeInputs: { id: 2, type: "bool" },
  },
  BitwiseXorOptions: {},
  BroadcastToOptions: {},
  CastOptions: { inDataType: { id: 0, enum: "tensorType" }, outDataType: { id: 1, enum: "tensorType" } },
  ConcatenationOptions: { axis: { id: 0, type: "int32" }, fusedActivationFunction: { id: 1, enum: "activation" } },
  Conv2DOptions: {
    padding: { id: 0, enum: "padding" },
    strideW: { id: 1, type: "int32" },
    strideH: { id: 2, type: "int32" },
    fusedActivationFunction: { id: 3, enum: "activation" },
    dilationWFactor: { id: 4, type: "int32", default: 1 },
    dilationHFactor: { id: 5, type: "int32", default: 1 },
  },
  CosOptions: {},
  CumsumOptions: { exclusive: { id: 0, type: "bool" }, reverse: { id: 1, type: "bool" } },
  DepthwiseConv2DOptions: {
    padding: { id: 0, enum: "padding" },
    strideW: { id: 1, type: "int32" },
    strideH: { id: 2, type: "int32" },
    depthMultiplier: { id: 3, type: "int32" },
    fusedActivationFunction: { id: 4, enum: "activation" },
    dilationWFactor: { id: 5, type: "int32", default: 1 },
    dilationHFactor: { id: 6, type: "int32", default: 1 },
  },
  DequantizeOptions: {},
  DivOptions: { fusedActivationFunction: { id: 0, enum: "activation" } },
  DynamicUpdateSliceOptions: {},
  EqualOptions: {},
  ExpOptions: {},
  FloorDivOptions: {},
  FloorModOptions: {},
  FullyConnectedOptions: {
    fusedActivationFunction: { id: 0, enum: "activation" },
    weightsFormat: { id: 1, type: "int8" },
    keepNumDims: { id: 2, type: "bool" },
    asymmetricQuantizeInputs: { id: 3, type: "bool" },
  },
  GatherOptions: { axis: { id: 0, type: "int32" }, batchDims: { id: 1, type: "int32" } },
  GeluOptions: { approximate: { id: 0, type: "bool" } },
  GreaterEqualOptions: {},
  GreaterOptions: {},
  HardSwishOptions: {},
  LeakyReluOptions: { alpha: { id: 0, type: "float32" } },
  LessEqualOptions: {},
  LessOptions: {},
  LogSoftmaxOptions: {},
  LogicalAndOptions: {},
  LogicalNotOptions: {},
  LogicalOrOptions: {},
  MaximumMinimumOptions: {},
  MulOptions: { fusedActivationFunction: { id: 0, enum: "activation" } },
  NegOptions: {},
  NotEqualOptions: {},
  PackOptions: { valuesCount: { id: 0, type: "int32" }, axis: { id: 1, type: "int32" } },
  PadOptions: {},
  PadV2Options: {},
  Pool2DOptions: {
    padding: { id: 0, enum: "padding" },
    strideW: { id: 1, type: "int32" },
    strideH: { id: 2, type: "int32" },
    filterWidth: { id: 3, type: "int32" },
    filterHeight: { id: 4, type: "int32" },
    fusedActivationFunction: { id: 5, enum: "activation" },
  },
  PowOptions: {},
  RangeOptions: {},
  ReducerOptions: { keepDims: { id: 0, type: "bool" } },
  ReshapeOptions: { newShape: { id: 0, vector: "int32" } },
  ReverseV2Options: {},
  SelectV2Options: {},
  ShapeOptions: { outType: { id: 0, enum: "tensorType" } },
  SignOptions: {},
  SliceOptions: {},
  SoftmaxOptions: { beta: { id: 0, type: "float32" } },
  SplitOptions: { numSplits: { id: 0, type: "int32" } },
  SquaredDifferenceOptions: {},
  SqueezeOptions: { squeezeDims: { id: 0, vector: "int32" } },
  StridedSliceOptions: {
    beginMask: { id: 0, type: "int32" },
    endMask: { id: 1, type: "int32" },
    ellipsisMask: { id: 2, type: "int32" },
    newAxisMask: { id: 3, type: "int32" },
    shrinkAxisMask: { id: 4, type: "int32" },
    offset: { id: 5, type: "bool" },
  },
  SubOptions: { fusedActivationFunction: { id: 0, enum: "activation" } },
  TransposeConvOptions: {
    padding: { id: 0, enum: "padding" },
    strideW: { id: 1, type: "int32" },
    strideH: { id: 2, type: "int32" },
    fusedActivationFunction: { id: 3, enum: "activation" },
  },
  TransposeOptions: {},
  UnpackOptions: { num: { id: 0, type: "int32" }, axis: { id: 1, type: "int32" } },
  WhileOptions: { condSubgraphIndex: { id: 0, type: "int32" }, bodySubgraphIndex: { id: 1, type: "int32" } },
} as const;

type Tables = typeof tables;
export type TableName = keyof Tables;

/** A table that holds an operator's options. */
export type OptionsName = Extract<TableName, BuiltinOptions>;

/** An operator's options. */
export type Options = {
  readonly [N in OptionsName]: { readonly table: N; readonly values: TableValue<N> };
}[OptionsName];

type FieldValue<F> = F extends { readonly string: true }
  ? string
  : F extends { readonly enum: infer E extends EnumName }
    ? (typeof enums)[E][number]
    : F extends { readonly vector: infer V }
      ? V extends "uint8"
        ? Uint8Array
        : readonly number[]
      : F extends { readonly table: infer T extends TableName }
        ? TableValue<T>
        : F extends { readonly tables: infer T extends TableName }
          ? readonly TableValue<T>[]
          : F extends { readonly options: true }
            ? Options
            : F extends { readonly type: "bool" }
              ? boolean
              : number;

/** A table as an object: fields that are left out have their default, or are not there. */
export type TableValue<T extends TableName> = { readonly [K in keyof Tables[T]]?: FieldValue<Tables[T][K]> };

/** The fields of a table by name. */
export function fieldsOf(table: TableName): readonly (readonly [name: string, field: Field])[] {
  return Object.entries(tables[table]);
}
