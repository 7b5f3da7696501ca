import { platform } from "../platform.js";
import { builtinOperators, elementBytes } from "../schema/enums.js";
import { malformed, readTable } from "../schema/read.js";
import type { TableValue } from "../schema/tables.js";
import type { LiteGraph, LiteModel, LiteNamedTensor, LiteOperator, LiteQuantization, LiteTensor } from "./model.js";

/**
 * A .tflite file as objects: its graphs with operators and tensors, and its signatures. Contents of constants are views of
 * `bytes`. Options of operators that this package does not write are left out.
 * @throws E_FORMAT where it is not what its format says; nothing that a file holds makes it crash or allocate without bound
 * @example
 *     const { graphs, signatures } = readModel(bytes);
 *     graphs[0].operators.map((o) => o.operator); // ["CONV_2D", "MAX_POOL_2D", …]
 */
export function readModel(bytes: Uint8Array): LiteModel {
  const root = readTable("Model", bytes, "TFL3");
  if (root.version !== 3) throw malformed(`its schema has version ${root.version}, not 3`);
  const file: File = {
    bytes,
    codes: (root.operatorCodes ?? []).map(operatorOf),
    buffers: (root.buffers ?? []).map((buffer) => contentOf(bytes, buffer)),
  };
  const graphs = (root.subgraphs ?? []).map((graph, i) => readGraph(file, graph, `graph ${i}`));
  if (graphs.length === 0) throw malformed("it holds no graph");
  const runtime = root.metadata?.find(({ name }) => name === "min_runtime_version");
  return {
    description: root.description ?? "",
    minRuntimeVersion: runtime ? textOf(file, runtime.buffer!) : null,
    graphs,
    signatures: (root.signatureDefs ?? []).map((signature) => {
      const name = signature.signatureKey ?? "";
      const graph = graphs[signature.subgraphIndex!];
      if (!graph) throw malformed(`signature "${name}" is of graph ${signature.subgraphIndex}, which is not there`);
      const named = (list: readonly TableValue<"TensorMap">[] | undefined): LiteNamedTensor[] =>
        (list ?? []).map((entry) => {
          const tensor = checkIndex(entry.tensorIndex!, graph.tensors.length, `signature "${name}"`);
          return { name: entry.name ?? "", tensor };
        });
      return {
        name,
        graph: signature.subgraphIndex!,
        inputs: named(signature.inputs),
        outputs: named(signature.outputs),
      };
    }),
  };
}

interface File {
  readonly bytes: Uint8Array;
  readonly codes: readonly { readonly operator: string; readonly version: number }[];
  readonly buffers: readonly (Uint8Array | null)[];
}

function operatorOf(code: TableValue<"OperatorCode">): { operator: string; version: number } {
  // Whichever is greater: a file from before the wide field has 0 there.
  const number = Math.max(code.deprecatedBuiltinCode!, code.builtinCode!);
  const names: readonly string[] = builtinOperators;
  const operator = number === names.indexOf("CUSTOM") ? code.customCode : names[number];
  if (operator === undefined) throw malformed(`there is no operator ${number}`);
  return { operator, version: code.version! };
}

function contentOf(bytes: Uint8Array, { data, offset, size }: TableValue<"Buffer">): Uint8Array | null {
  if (offset! > 1) {
    if (offset! + size! > bytes.byteLength) throw malformed(`a buffer of ${size} bytes lies outside of it`);
    return bytes.subarray(offset, offset! + size!);
  }
  return data && data.byteLength > 0 ? data : null;
}

function textOf(file: File, buffer: number): string {
  const bytes = file.buffers[checkIndex(buffer, file.buffers.length, "metadata")] ?? new Uint8Array();
  const end = bytes.indexOf(0);
  return new platform.TextDecoder().decode(bytes.subarray(0, end < 0 ? Math.min(bytes.length, 64) : Math.min(end, 64)));
}

function readGraph(file: File, graph: TableValue<"SubGraph">, what: string): LiteGraph {
  const tensors = (graph.tensors ?? []).map((tensor, i) => readTensor(file, tensor, `tensor ${i} of ${what}`));
  const places = (list: readonly number[] | undefined, optional: boolean): readonly number[] => {
    for (const i of list ?? []) if (!(optional && i === -1)) checkIndex(i, tensors.length, what);
    return list ?? [];
  };
  const operators = (graph.operators ?? []).map((operator): LiteOperator => {
    const code = file.codes[checkIndex(operator.opcodeIndex!, file.codes.length, what)]!;
    return {
      ...code,
      inputs: places(operator.inputs, true),
      outputs: places(operator.outputs, false),
      options: operator.builtinOptions ?? null,
    };
  });
  return {
    name: graph.name ?? "",
    tensors,
    inputs: places(graph.inputs, false),
    outputs: places(graph.outputs, false),
    operators,
  };
}

function readTensor(file: File, tensor: TableValue<"Tensor">, what: string): LiteTensor {
  const shape = tensor.shape ?? [];
  const type = tensor.type!;
  const data = file.buffers[checkIndex(tensor.buffer!, file.buffers.length, what)]!;
  if (shape.some((size) => size < 0)) throw malformed(`${what} has the shape [${shape}]`);
  const signature = tensor.shapeSignature;
  if (signature && signature.length > 0 && signature.length !== shape.length) {
    throw malformed(`${what} has ${shape.length} axes, and its signature ${signature.length}`);
  }
  const width = elementBytes[type];
  const needed = width === undefined ? undefined : shape.reduce((n, size) => n * size, width);
  if (data && needed !== undefined && data.byteLength !== needed) {
    throw malformed(`${what} has ${data.byteLength} bytes, and needs ${needed} for ${type} [${shape}]`);
  }
  return {
    name: tensor.name ?? "",
    type,
    shape,
    shapeSignature: signature && signature.length > 0 ? signature : null,
    data,
    quantization: readQuantization(tensor.quantization, shape, what),
  };
}

function readQuantization(
  q: TableValue<"QuantizationParameters"> | undefined,
  shape: readonly number[],
  what: string,
): LiteQuantization | null {
  const scales = q?.scale ?? [];
  if (!q || scales.length === 0) return null;
  const zeroPoints = q.zeroPoint ?? [];
  const axis = q.quantizedDimension!;
  const perAxis = scales.length > 1 && scales.length !== shape[axis];
  if (perAxis || (zeroPoints.length !== scales.length && zeroPoints.length > 1)) {
    throw malformed(`${what} has ${scales.length} scales and ${zeroPoints.length} zero points on axis ${axis}`);
  }
  return { scales, zeroPoints, axis };
}

function checkIndex(index: number, count: number, what: string): number {
  if (Number.isInteger(index) && index >= 0 && index < count) return index;
  throw malformed(`${what} names number ${index} of a list of ${count}`);
}
