import { MillraceError } from "@millrace/core";
import { platform } from "../platform.js";
import { builtinOperators } from "../schema/enums.js";
import type { TableValue } from "../schema/tables.js";
import { writeTable } from "../schema/write.js";
import type { LiteGraph, LiteModel, LiteTensor } from "./model.js";

/** Offsets in a flatbuffer are 32 bits with a sign. */
const mostBytes = 2 ** 31 - 2 ** 16;

/** The first code that does not fit into the byte in which older runtimes look. */
const placeholder = builtinOperators.indexOf("PLACEHOLDER_FOR_GREATER_OP_CODES");

/** The bytes of a .tflite file. Equal constants are stored once. */
export function writeModel(model: LiteModel): Uint8Array {
  const buffers = new Buffers();
  const codes = new OperatorCodes(model);
  const subgraphs = model.graphs.map((graph) => writeGraph(graph, buffers, codes));
  const metadata = model.minRuntimeVersion === null ? [] : [metadataEntry(model.minRuntimeVersion, buffers)];
  const bytes = buffers.bytes();
  if (bytes > mostBytes) {
    throw new MillraceError(
      "E_UNIMPLEMENTED",
      `a .tflite file of ${bytes} bytes of weights: over 2 GB is not built yet`,
    );
  }
  const root: TableValue<"Model"> = {
    version: 3,
    operatorCodes: codes.tables,
    subgraphs,
    description: model.description,
    buffers: buffers.tables,
    metadata,
    signatureDefs: model.signatures.map(({ name, graph, inputs, outputs }) => ({
      inputs: inputs.map((x) => ({ name: x.name, tensorIndex: x.tensor })),
      outputs: outputs.map((x) => ({ name: x.name, tensorIndex: x.tensor })),
      signatureKey: name,
      subgraphIndex: graph,
    })),
  };
  return writeTable("Model", root, "TFL3", bytes + 2 ** 16);
}

/** The version as 16 bytes, in which tools may change it where it stands. */
function metadataEntry(version: string, buffers: Buffers): TableValue<"Metadata"> {
  const text = new Uint8Array(16);
  text.set(new platform.TextEncoder().encode(version).subarray(0, 15));
  return { name: "min_runtime_version", buffer: buffers.add(text) };
}

function writeGraph(graph: LiteGraph, buffers: Buffers, codes: OperatorCodes): TableValue<"SubGraph"> {
  return {
    name: graph.name,
    tensors: graph.tensors.map((tensor) => writeTensor(tensor, buffers)),
    inputs: graph.inputs,
    outputs: graph.outputs,
    operators: graph.operators.map(({ operator, inputs, outputs, options }) => ({
      opcodeIndex: codes.index(operator),
      inputs,
      outputs,
      ...(options ? { builtinOptions: options } : {}),
    })),
  };
}

function writeTensor(tensor: LiteTensor, buffers: Buffers): TableValue<"Tensor"> {
  const { name, type, shape, shapeSignature, data, quantization } = tensor;
  return {
    name,
    type,
    shape,
    hasRank: true,
    buffer: data ? buffers.add(data) : 0,
    ...(shapeSignature ? { shapeSignature } : {}),
    ...(quantization
      ? {
          quantization: {
            scale: quantization.scales,
            zeroPoint: quantization.zeroPoints,
            quantizedDimension: quantization.axis,
          },
        }
      : {}),
  };
}

/** Each operator at one version: the highest that the model needs of it, as converters write it. */
class OperatorCodes {
  readonly tables: TableValue<"OperatorCode">[] = [];
  private readonly indices = new Map<string, number>();
  private readonly versions = new Map<string, number>();

  constructor(model: LiteModel) {
    for (const { operator, version } of model.graphs.flatMap((g) => g.operators)) {
      this.versions.set(operator, Math.max(version, this.versions.get(operator) ?? 1));
    }
  }

  index(operator: string): number {
    const known = this.indices.get(operator);
    if (known !== undefined) return known;
    const names: readonly string[] = builtinOperators;
    const code = names.indexOf(operator);
    this.tables.push({
      deprecatedBuiltinCode: Math.min(code, placeholder),
      builtinCode: code,
      version: this.versions.get(operator)!,
    });
    this.indices.set(operator, this.tables.length - 1);
    return this.tables.length - 1;
  }
}

/** The contents of constants, each once. Buffer 0 is empty: that of tensors that are computed. */
class Buffers {
  readonly tables: TableValue<"Buffer">[] = [{}];
  private readonly byHash = new Map<string, number[]>();

  add(data: Uint8Array): number {
    const key = `${data.byteLength}:${hash(data)}`;
    const candidates = this.byHash.get(key) ?? [];
    const same = candidates.find((index) => equal(this.tables[index]!.data!, data));
    if (same !== undefined) return same;
    this.tables.push({ data });
    this.byHash.set(key, [...candidates, this.tables.length - 1]);
    return this.tables.length - 1;
  }

  bytes(): number {
    return this.tables.reduce((n, { data }) => n + (data?.byteLength ?? 0), 0);
  }
}

/** Fowler, Noll and Vo's hash, 32 bits. */
function hash(data: Uint8Array): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < data.length; i++) h = Math.imul(h ^ data[i]!, 0x01000193);
  return h >>> 0;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]));
}
