// The header of a safetensors file: 8 bytes little-endian with the length of a JSON text, the text, then the data of
// the tensors without holes.
import { type DType, dtypes } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import { type ReadLimits, type TensorEntry, weightsFile } from "./artifact.js";
import { type Field, parseJson } from "./json.js";

/** What safetensors calls a dtype. */
export const safetensorsNames: Readonly<Record<DType, string>> = {
  bool: "BOOL",
  uint8: "U8",
  int32: "I32",
  int64: "I64",
  float32: "F32",
  float64: "F64",
  int8: "I8",
  bfloat16: "BF16",
};
const dtypeNamed = new Map(Object.entries(safetensorsNames).map(([dtype, name]) => [name, dtype as DType]));

/** How many bytes of a file say how long its header is. */
export const lengthBytes = 8;

/** Where the data begins, from the first 8 bytes of a file. */
export function dataStart(head: Uint8Array, fileBytes: number, limits: ReadLimits): number {
  const fail = (what: string): MillraceError => new MillraceError("E_FORMAT", `${weightsFile}: ${what}`);
  if (fileBytes > limits.weightBytes)
    throw fail(`its ${fileBytes} bytes exceed the limit of ${limits.weightBytes} (limits.weightBytes)`);
  if (head.length < lengthBytes || fileBytes < lengthBytes) throw fail("it is shorter than the length of its header");
  const view = new DataView(head.buffer, head.byteOffset, lengthBytes);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > limits.jsonBytes)
    throw fail(`its header of ${length} bytes exceeds the limit of ${limits.jsonBytes} (limits.jsonBytes)`);
  if (lengthBytes + length > fileBytes) throw fail(`its header of ${length} bytes ends behind the file`);
  return lengthBytes + length;
}

/** The tensors of a file. `header` is what lies between the first 8 bytes and the data. */
export function readTensorEntries(
  header: Uint8Array,
  fileBytes: number,
  limits: ReadLimits,
): ReadonlyMap<string, TensorEntry> {
  const root = parseJson(header, weightsFile, 8);
  const fields = root.entries().filter(([name]) => name !== "__metadata__");
  if (fields.length > limits.tensors)
    throw root.error(`has ${fields.length} tensors, more than the limit of ${limits.tensors} (limits.tensors)`);
  const begin = lengthBytes + header.length;
  const entries = fields.map(([name, field]) => [name, field, readEntry(field, begin)] as const);
  let end = begin;
  for (const [, field, entry] of [...entries].sort(([, , a], [, , b]) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== end) throw field.error(entry.start < end ? "overlaps another tensor" : "begins behind a hole");
    ({ end } = entry);
  }
  if (end !== fileBytes) throw root.error(`describes ${end} bytes of a file of ${fileBytes}`);
  return new Map(entries.map(([name, , entry]) => [name, entry]));
}

function readEntry(field: Field, begin: number): TensorEntry {
  const { dtype: name, shape: sizes, data_offsets: offsets } = field.fields(["dtype", "shape", "data_offsets"]);
  const dtype = dtypeNamed.get(name.string());
  if (!dtype)
    throw name.error(`is ${name.string()}, of which there are no tensors: ${[...dtypeNamed.keys()].join(", ")}`);
  const shape = sizes.items().map((size) => size.integer());
  const [from, to] = offsets.items(2).map((offset) => offset.integer());
  const bytes = shape.reduce((n, d) => n * d, dtypes[dtype].bytes);
  if (!Number.isSafeInteger(bytes) || to! - from! !== bytes)
    throw field.error(`has ${to! - from!} bytes where its shape takes ${bytes}`);
  if (shape.length > maxRank) throw sizes.error(`has more than ${maxRank} axes`);
  return { dtype, shape, start: begin + from!, end: begin + to! };
}

/** The most axes of a tensor that is read. */
export const maxRank = 32;
