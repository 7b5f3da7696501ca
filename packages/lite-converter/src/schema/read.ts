// Flatbuffers as tables, by the list of fields. Nothing in a file is believed: every offset and length is checked against
// the file, and what is read in all is bounded, since tables may point at one another's parts many times over.
import { MillraceError } from "@millrace/core";
import { platform, type TextReader } from "../platform.js";
import { builtinOptions, enums } from "./enums.js";
import { type Field, fieldsOf, type Scalar, type TableName, type TableValue, tables } from "./tables.js";

/** The root table of a file that starts with its offset and these four letters. */
export function readTable<T extends TableName>(table: T, bytes: Uint8Array, identifier: string): TableValue<T> {
  const reader = new TableReader(bytes);
  const found = String.fromCharCode(...bytes.subarray(4, 8));
  if (found !== identifier) throw malformed(`it does not say "${identifier}" at its start`);
  // boundary: `read` gives what TableValue derives from the same list of fields
  return reader.read(table, reader.offset(0)) as TableValue<T>;
}

export function malformed(why: string): MillraceError {
  return new MillraceError("E_FORMAT", `this is no whole .tflite file: ${why}`);
}

/** The least that a table takes: its offset to where its fields are listed, and one field. */
const tableBytes = 8;

/** Operators, tensors and the like: what the largest models have, many times over. */
const mostTables = 500_000;

class TableReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly text: TextReader = new platform.TextDecoder("utf-8", { fatal: true });
  /** Bytes that may still be read: a file whose tables share nothing has no more than it has. */
  private budget: number;
  private tables = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.budget = 2 * bytes.byteLength + 1024;
  }

  /** Where the offset that lies at `at` leads. */
  offset(at: number): number {
    this.within(at, 4);
    const to = at + this.view.getUint32(at, true);
    this.within(to, 4);
    return to;
  }

  read(table: TableName, at: number): Record<string, unknown> {
    this.spend(tableBytes);
    if (++this.tables > mostTables) throw malformed(`it has more than ${mostTables} tables`);
    this.within(at, 4);
    const vtable = at - this.view.getInt32(at, true);
    this.within(vtable, 4);
    const [vtableBytes, ownBytes] = [this.view.getUint16(vtable, true), this.view.getUint16(vtable + 2, true)];
    this.within(vtable, vtableBytes);
    this.within(at, ownBytes);
    if (vtableBytes < 4 || vtableBytes % 2 !== 0 || ownBytes < 4) throw malformed(`the table ${table} has no fields`);
    /** Where a field is stored, or undefined where it has its default. */
    const place = (id: number, width: number): number | undefined => {
      const entry = 4 + 2 * id;
      const from = entry + 2 <= vtableBytes ? this.view.getUint16(vtable + entry, true) : 0;
      if (from === 0) return undefined;
      if (from < 4 || from + width > ownBytes) throw malformed(`a field of ${table} lies outside of it`);
      return at + from;
    };
    const value: Record<string, unknown> = {};
    for (const [name, field] of fieldsOf(table)) {
      const read = this.field(field, place);
      if (read !== undefined) value[name] = read;
    }
    return value;
  }

  private field(field: Field, place: (id: number, width: number) => number | undefined): unknown {
    if ("type" in field) {
      const at = place(field.id, widths[field.type]);
      if (at !== undefined) return this.scalar(field.type, at);
      return field.default ?? (field.type === "bool" ? false : 0);
    }
    if ("enum" in field) {
      const at = place(field.id, 1);
      return named(enums[field.enum], at === undefined ? 0 : this.view.getInt8(at), field.enum);
    }
    if ("options" in field) return this.options(field.id, place);
    const at = place(field.id, 4);
    if (at === undefined) return undefined;
    const to = this.offset(at);
    if ("string" in field) return this.string(to);
    if ("vector" in field) return this.vector(field.vector, to);
    // boundary: the tables that fields name are those of the list
    if ("table" in field) return this.read(field.table as TableName, to);
    const count = this.count(to, 4);
    return Array.from({ length: count }, (_, i) => this.read(field.tables as TableName, this.offset(to + 4 + 4 * i)));
  }

  /** Options of a kind that is not in the list are skipped. */
  private options(id: number, place: (id: number, width: number) => number | undefined): unknown {
    const [typeAt, at] = [place(id - 1, 1), place(id, 4)];
    if (typeAt === undefined || at === undefined) return undefined;
    const table: string | undefined = builtinOptions[this.view.getUint8(typeAt)];
    if (table === undefined || !isTable(table)) return undefined;
    return { table, values: this.read(table, this.offset(at)) };
  }

  private scalar(type: Scalar, at: number): number | boolean {
    if (type === "bool") return this.view.getUint8(at) !== 0;
    if (type === "int8") return this.view.getInt8(at);
    if (type === "uint8") return this.view.getUint8(at);
    if (type === "int32") return this.view.getInt32(at, true);
    if (type === "uint32") return this.view.getUint32(at, true);
    if (type === "float32") return this.view.getFloat32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  private string(at: number): string {
    const count = this.count(at, 1);
    try {
      return this.text.decode(this.bytes.subarray(at + 4, at + 4 + count));
    } catch {
      throw malformed("a name is not UTF-8");
    }
  }

  private vector(type: "int32" | "int64" | "float32" | "uint8", at: number): readonly number[] | Uint8Array {
    const from = at + 4;
    // Bytes are not copied, so they may be shared.
    if (type === "uint8") {
      const length = this.view.getUint32(at, true);
      this.within(from, length);
      return this.bytes.subarray(from, from + length);
    }
    const count = this.count(at, type === "int64" ? 8 : 4);
    const { view } = this;
    if (type === "int32") return Array.from({ length: count }, (_, i) => view.getInt32(from + 4 * i, true));
    if (type === "float32") return Array.from({ length: count }, (_, i) => view.getFloat32(from + 4 * i, true));
    return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(from + 8 * i, true)));
  }

  /** The number of elements of the vector at `at`, all of which lie in the file. */
  private count(at: number, width: number): number {
    const count = this.view.getUint32(at, true);
    this.within(at + 4, count * width);
    this.spend(count * width);
    return count;
  }

  private within(at: number, length: number): void {
    if (at >= 0 && at + length <= this.bytes.byteLength) return;
    throw malformed(`it has ${this.bytes.byteLength} bytes, and points at ${length} of them from ${at}`);
  }

  private spend(count: number): void {
    this.budget -= count;
    if (this.budget < 0) throw malformed("its tables hold more than its bytes can");
  }
}

const widths: Readonly<Record<Scalar, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int32: 4,
  uint32: 4,
  uint64: 8,
  float32: 4,
};

function named(names: readonly string[], index: number, what: string): string {
  const name = names[index];
  if (name === undefined) throw malformed(`there is no ${what} ${index}`);
  return name;
}

function isTable(name: string): name is TableName {
  return Object.hasOwn(tables, name);
}
