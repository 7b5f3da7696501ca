import type { TypedArray } from "@millrace/core";
import { type HostArray, toNumber } from "@millrace/core/graph";
import { invalid } from "../status.js";
import { writeFloat, writeFloat32 } from "./numbers.js";
import type { Format } from "./tensors.js";

/** The body of an answer: "predictions" by row or "outputs" by column. A single output stands without its name. */
export function writeOutputs(outputs: readonly (readonly [string, HostArray])[], format: Format): string {
  if (format === "row") return `{"predictions":${writeRows(outputs)}}`;
  const [only] = outputs;
  if (outputs.length === 1) return `{"outputs":${new Writer(only![1]).value(0)}}`;
  const members = outputs.map(([name, x]) => `${JSON.stringify(name)}:${new Writer(x).value(0)}`);
  return `{"outputs":{${members.join(",")}}}`;
}

function writeRows(outputs: readonly (readonly [string, HostArray])[]): string {
  let count = -1;
  for (const [name, { shape }] of outputs) {
    const size = shape[0];
    if (size === undefined) throw invalid(`Tensor name: ${name} has no shape information `);
    if (count >= 0 && size !== count) {
      throw invalid(`Tensor name: ${name} has inconsistent batch size: ${size} expecting: ${count}`);
    }
    count = size;
  }
  if (outputs.length === 1) return new Writer(outputs[0]![1]).value(0);
  const writers = outputs.map(([name, x]) => [JSON.stringify(name), new Writer(x)] as const);
  const rows = Array.from(
    { length: count },
    () => `{${writers.map(([name, writer]) => `${name}:${writer.value(1)}`).join(",")}}`,
  );
  return `[${rows.join(",")}]`;
}

/** Writes the elements of a tensor, in order, as nested lists. */
class Writer {
  private readonly shape: readonly number[];
  private readonly data: TypedArray;
  private readonly write: (value: number | bigint) => string;
  private at = 0;

  constructor({ dtype, shape, data }: HostArray) {
    this.shape = shape;
    this.data = data;
    this.write = writers[dtype];
  }

  /** The next value of rank `shape.length - axis`. */
  value(axis: number): string {
    if (axis === this.shape.length) return this.write(this.data[this.at++]!);
    const size = this.shape[axis]!;
    let text = "[";
    for (let i = 0; i < size; i++) text += i === 0 ? this.value(axis + 1) : `,${this.value(axis + 1)}`;
    return `${text}]`;
  }
}

const writers: Readonly<Record<HostArray["dtype"], (value: number | bigint) => string>> = {
  bool: (x) => (x ? "true" : "false"),
  uint8: String,
  int32: String,
  int64: String,
  float32: (x) => writeFloat32(Number(x)),
  float64: (x) => writeFloat(Number(x)),
  int8: String,
  bfloat16: (x) => writeFloat32(Number(toNumber("bfloat16", x))),
};
