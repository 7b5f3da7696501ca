// Tables as flatbuffers, by the list of fields.
import { Builder } from "flatbuffers";
import { builtinOptions, enums } from "./enums.js";
import { type Field, fieldsOf, type Options, type Scalar, type TableName, type TableValue } from "./tables.js";

/** Bytes of a buffer start at a multiple of this, so that they can be used where a file is mapped. */
const alignment = 16;

/** A file of one root table. `expected` bytes are taken at once, so that a large file is not copied while it grows. */
export function writeTable<T extends TableName>(
  table: T,
  value: TableValue<T>,
  identifier: string,
  expected: number,
): Uint8Array {
  const builder = new Builder(expected);
  builder.finish(write(builder, table, value), identifier);
  return builder.asUint8Array();
}

/** What a field is before its table is begun: a number to store in it, or where it has been written. */
type Slot =
  | { readonly kind: Scalar; readonly value: number; readonly default: number }
  | { readonly kind: "offset"; readonly value: number };

function write(builder: Builder, table: TableName, value: Readonly<Record<string, unknown>>): number {
  const fields = fieldsOf(table);
  const slots = new Map<number, Slot>();
  for (const [name, field] of fields) {
    const given = value[name];
    if (given === undefined) continue;
    for (const [id, slot] of slotsOf(builder, field, given)) slots.set(id, slot);
  }
  builder.startObject(Math.max(0, ...slots.keys()) + 1);
  for (const [id, slot] of slots) store(builder, id, slot);
  return builder.endObject();
}

// boundary: a value has the type that TableValue derives from its field
function slotsOf(builder: Builder, field: Field, given: unknown): [id: number, slot: Slot][] {
  const at = (value: number): [number, Slot][] => [[field.id, { kind: "offset", value }]];
  if ("string" in field) return at(builder.createString(given as string));
  if ("vector" in field) return at(writeVector(builder, field.vector, given as readonly number[] | Uint8Array));
  if ("table" in field) return at(write(builder, field.table as TableName, given as Record<string, unknown>));
  if ("tables" in field) {
    const offsets = (given as readonly Record<string, unknown>[]).map((v) =>
      write(builder, field.tables as TableName, v),
    );
    builder.startVector(4, offsets.length, 4);
    for (const offset of offsets.reverse()) builder.addOffset(offset);
    return at(builder.endVector());
  }
  if ("options" in field) {
    const { table, values } = given as Options;
    const type: Slot = { kind: "uint8", value: builtinOptions.indexOf(table), default: 0 };
    return [[field.id - 1, type], ...at(write(builder, table, values))];
  }
  if ("enum" in field) {
    const names: readonly string[] = enums[field.enum];
    return [[field.id, { kind: "int8", value: names.indexOf(given as string), default: 0 }]];
  }
  return [[field.id, { kind: field.type, value: Number(given), default: Number(field.default ?? 0) }]];
}

function writeVector(
  builder: Builder,
  type: "int32" | "int64" | "float32" | "uint8",
  values: readonly number[] | Uint8Array,
): number {
  if (values instanceof Uint8Array || type === "uint8") {
    builder.prep(alignment, values.length);
    return builder.createByteVector(values instanceof Uint8Array ? values : Uint8Array.from(values));
  }
  const width = type === "int64" ? 8 : 4;
  builder.startVector(width, values.length, width);
  for (const value of [...values].reverse()) {
    if (type === "int64") builder.addInt64(BigInt(value));
    else if (type === "float32") builder.addFloat32(value);
    else builder.addInt32(value);
  }
  return builder.endVector();
}

function store(builder: Builder, id: number, slot: Slot): void {
  const { kind, value } = slot;
  if (kind === "offset") builder.addFieldOffset(id, value, 0);
  else if (kind === "float32") builder.addFieldFloat32(id, value, slot.default);
  else if (kind === "uint64") builder.addFieldInt64(id, BigInt(value), BigInt(slot.default));
  else if (kind === "int32" || kind === "uint32") builder.addFieldInt32(id, value, slot.default);
  else builder.addFieldInt8(id, value, slot.default);
}
