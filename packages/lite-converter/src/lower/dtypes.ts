// Which dtypes LiteRT's kernels take, op by op. A uint8 there is a quantised number with a scale: kernels that compute with
// one that has none give zeros, or end the process, so only moves and casts take it.
import type { DType } from "@millrace/core";
import type { Node, OpName } from "@millrace/core/graph";

const all: readonly DType[] = ["float32", "int32", "int64", "uint8", "bool"];
const numbers: readonly DType[] = ["float32", "int32", "int64"];
const narrow: readonly DType[] = ["float32", "int32"];
const floats: readonly DType[] = ["float32"];
const logical: readonly DType[] = ["bool"];

/** What the first operand may be; floats alone where nothing is said. */
const taken: Readonly<Partial<Record<OpName, readonly DType[]>>> = {
  abs: narrow,
  add: numbers,
  and: logical,
  argMax: narrow,
  argMin: narrow,
  broadcastInDim: all,
  cast: all,
  concat: all,
  constant: all,
  cumsum: numbers,
  dimension: numbers,
  div: numbers,
  eq: [...numbers, "bool"],
  floorDiv: narrow,
  floorMod: numbers,
  gather: all,
  ge: numbers,
  gt: numbers,
  iota: numbers,
  le: numbers,
  lt: numbers,
  max: numbers,
  min: numbers,
  mul: numbers,
  ne: [...numbers, "bool"],
  neg: numbers,
  not: logical,
  or: logical,
  pad: numbers,
  pow: narrow,
  reduceAnd: logical,
  reduceMax: numbers,
  reduceMin: numbers,
  reduceOr: logical,
  reduceProd: numbers,
  reduceSum: numbers,
  reshape: all,
  reverse: all,
  select: all,
  sign: narrow,
  slice: all,
  sub: numbers,
  transpose: all,
  xor: logical,
};

/** Why LiteRT has no kernel for a node's dtypes; undefined where it has one. */
export function dtypeRefusal({ op, inputs, outs }: Node): string | undefined {
  const dtypes = [...inputs.map((v) => v.aval.dtype), ...outs.map((out) => out.dtype)];
  if (dtypes.includes("float64")) return "LiteRT has no kernels for float64";
  const known: Readonly<Record<string, readonly DType[]>> = taken;
  // The condition of a select is a bool.
  const dtype = (op.name === "select" ? inputs[1] : inputs[0])?.aval.dtype ?? outs[0]!.dtype;
  return (known[op.name] ?? floats).includes(dtype) ? undefined : `LiteRT has no kernel of it for ${dtype}`;
}
