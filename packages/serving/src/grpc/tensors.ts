import { type DType, dtypes, type TypedArray } from "@millrace/core";
import { allocate, bytesOf, countOf, type HostArray } from "@millrace/core/graph";
import { dtypeNames, dtypeOfNumber } from "../dtypes.js";
import { invalid, StatusError } from "../status.js";
import { bigOf, type Long, longOf, type TensorProto } from "./contract.js";

/** Reads the values of a dtype's own field. */
const fields: Readonly<Record<DType, (proto: TensorProto) => ArrayLike<number | boolean | Long> | undefined>> = {
  bool: (proto) => proto.bool_val,
  uint8: (proto) => proto.int_val,
  int32: (proto) => proto.int_val,
  int64: (proto) => proto.int64_val,
  float32: (proto) => proto.float_val,
  float64: (proto) => proto.double_val,
  int8: (proto) => proto.int_val,
  bfloat16: (proto) => proto.half_val,
};

/**
 * The tensor of a message: its content as bytes, or the values of its dtype's field, of which the last stands for all that
 * are left out.
 * @throws StatusError INVALID_ARGUMENT, and RESOURCE_EXHAUSTED where it is larger than `maxBytes`
 */
export function readTensorProto(name: string, proto: TensorProto, maxBytes: number): HostArray {
  const dtype = dtypeOfNumber(proto.dtype ?? 0);
  if (!dtype) throw invalid(`input "${name}": tensors of DataType ${proto.dtype ?? 0} are not served`);
  const { dim = [], unknown_rank } = proto.tensor_shape ?? {};
  if (unknown_rank) throw invalid(`input "${name}": the tensor's rank is unknown`);
  const shape = dim.map(({ size = 0 }) => {
    const big = bigOf(size);
    if (big < 0n || big > Number.MAX_SAFE_INTEGER) throw invalid(`input "${name}": a dimension of ${big}`);
    return Number(big);
  });
  const count = countOf(shape);
  const { bytes } = dtypes[dtype];
  const content = proto.tensor_content ?? new Uint8Array(0);
  if (content.length > 0) {
    if (content.length !== count * bytes) {
      throw invalid(
        `input "${name}": shape [${shape.join(",")}] of ${dtypeNames[dtype].said} takes ${count * bytes} bytes, ` +
          `tensor_content has ${content.length}`,
      );
    }
    return { dtype, shape, data: aligned(dtype, count, content) };
  }
  // Sizes beside a 0 count too: rows of nothing are rows of what comes out.
  if (shape.reduce((n, size) => n * Math.max(1, size), bytes) > maxBytes) {
    throw new StatusError(
      "RESOURCE_EXHAUSTED",
      `input "${name}": shape [${shape.join(",")}] is over ${maxBytes} bytes`,
    );
  }
  const values = fields[dtype](proto) ?? [];
  if (values.length > count) {
    throw invalid(`input "${name}": shape [${shape.join(",")}] takes ${count} values, there are ${values.length}`);
  }
  return { dtype, shape, data: filled(dtype, count, values) };
}

/** The elements that these bytes are: in place where they are aligned, since a message is read once. */
function aligned(dtype: DType, count: number, content: Uint8Array): TypedArray {
  const data = allocate(dtype, count);
  const bytes = bytesOf(data);
  bytes.set(content);
  if (dtype === "bool") for (let i = 0; i < count; i++) bytes[i] = bytes[i] ? 1 : 0;
  return data;
}

function filled(dtype: DType, count: number, values: ArrayLike<number | boolean | Long>): TypedArray {
  const data = allocate(dtype, count);
  const element = (x: number | boolean | Long): number | bigint =>
    dtype === "int64" ? bigOf(x as Long | number) : Number(x);
  // boundary: int64 takes bigints alone, every other dtype numbers alone
  const elements = data as { [index: number]: number | bigint };
  for (let i = 0; i < values.length; i++) elements[i] = element(values[i]!);
  if (values.length > 0 && values.length < count) {
    const last = elements[values.length - 1]!;
    for (let i = values.length; i < count; i++) elements[i] = last;
  }
  return data;
}

/** A tensor as a message, with its values in their dtype's field, where clients look for them. */
export function writeTensorProto({ dtype, shape, data }: HostArray): TensorProto {
  const proto = {
    dtype: dtypeNames[dtype].number,
    tensor_shape: { dim: shape.map((size) => ({ size: longOf(size) })) },
  };
  // boundary: the dtype says which array it is
  const numbers = data as Exclude<TypedArray, BigInt64Array>;
  switch (dtype) {
    case "float32":
      return { ...proto, float_val: numbers };
    case "float64":
      return { ...proto, double_val: numbers };
    case "int64":
      return { ...proto, int64_val: Array.from(data, longOf) };
    case "bool":
      return { ...proto, bool_val: numbers };
    case "int32":
    case "uint8":
    case "int8":
      return { ...proto, int_val: numbers };
    case "bfloat16":
      return { ...proto, half_val: numbers };
  }
}
