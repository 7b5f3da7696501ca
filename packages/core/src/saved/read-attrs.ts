// Attributes in JSON: numbers, strings, booleans and lists as they are; what JSON has no words for is an object with one
// name that says what it is.
import type { Attr, Attrs } from "../ir/attrs.js";
import type { Dim } from "../ir/dim.js";
import { allocate } from "../ir/host.js";
import { type DType, isDType, type TypedArray } from "../types/dtype.js";
import type { TensorEntry } from "./artifact.js";
import type { Field } from "./json.js";
import { parseSize } from "./sizes.js";

/** What graphs refer to. */
export interface AttrContext {
  readonly symbols: ReadonlyMap<string, Dim>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The tensors that are part of graphs. */
  readonly constants: ReadonlyMap<string, TypedArray>;
}

export function readAttrs(field: Field | undefined, context: AttrContext): Attrs {
  if (!field) return {};
  return Object.fromEntries(field.entries().map(([name, inner]) => [name, readAttr(inner, context)]));
}

function readAttr(field: Field, context: AttrContext): Attr {
  const { value } = field;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return readNumber(field);
  if (Array.isArray(value)) return field.items().map((item) => readAttr(item, context));
  const [kind] = field.entries()[0] ?? [];
  if (kind === "number") return readNumber(field.fields(["number"]).number);
  if (kind === "bigint") return readBigInt(field.fields(["bigint"]).bigint);
  if (kind === "size") return readSize(field.fields(["size"]).size, context.symbols);
  return readArray(field, context);
}

/** What is written in place of a number that JSON does not have. */
export const namedNumbers: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

function readNumber(field: Field): number {
  const { value } = field;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const named = typeof value === "string" ? namedNumbers.get(value) : undefined;
  if (named === undefined) throw field.error(`must be a number or ${[...namedNumbers.keys()].join(", ")}`);
  return named;
}

function readBigInt(field: Field): bigint {
  const text = field.string();
  if (!/^-?\d{1,20}$/.test(text)) throw field.error("must be the digits of a 64-bit integer");
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) !== value) throw field.error("must be the digits of a 64-bit integer");
  return value;
}

/** A size: a number, or an expression. */
export function readSize(field: Field, symbols: ReadonlyMap<string, Dim>): Dim {
  if (typeof field.value === "number") return field.integer(Number.MIN_SAFE_INTEGER);
  try {
    return parseSize(field.string(), symbols);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) throw field.error(error.message, error);
    throw error;
  }
}

function readArray(field: Field, context: AttrContext): TypedArray {
  const { array, values, tensor } = field.fields(["array"], ["values", "tensor"]);
  const dtype = array.string();
  if (!isDType(dtype)) throw array.error("is no dtype");
  if (values && !tensor) return readValues(values, dtype);
  if (!tensor || values) throw field.error("must have either values or a tensor");
  const name = tensor.string();
  const [entry, data] = [context.tensors.get(name), context.constants.get(name)];
  if (!entry || !data) throw tensor.error("is none of the constants of this artifact");
  if (entry.dtype !== dtype) throw array.error(`is ${dtype}, where the tensor is ${entry.dtype}`);
  return data;
}

function readValues(field: Field, dtype: DType): TypedArray {
  const items = field.items();
  const data = allocate(dtype, items.length);
  items.forEach((item, i) => {
    const value = dtype === "int64" ? readBigInt(item) : readNumber(item);
    data[i] = value;
    if (!Object.is(data[i], value)) throw item.error(`is no ${dtype}`);
  });
  return data;
}
