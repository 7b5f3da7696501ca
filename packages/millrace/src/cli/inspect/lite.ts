import { getFiles } from "@millrace/core";
import { type LiteGraph, type LiteModel, type LiteTensor, readModel } from "@millrace/lite-converter";
import { bytesText, table } from "../output.js";
import type { Description } from "./description.js";

/** A .tflite file: signatures, operators and constants. */
export async function describeLite(path: string, withGraph: boolean): Promise<Description> {
  const bytes = await getFiles().read(path);
  const model = readModel(bytes);
  const lines = [
    `${path}: a .tflite file, ${bytesText(bytes.length)}${model.description ? `, "${model.description}"` : ""}`,
    ...(model.minRuntimeVersion === null ? [] : [`runs on TensorFlow Lite ${model.minRuntimeVersion} and later`]),
    "",
    ...signatures(model),
  ];
  for (const graph of model.graphs) lines.push("", ...graphLines(graph, withGraph));
  return { lines, json: jsonOf(model, bytes.length, withGraph) };
}

function signatures({ signatures, graphs }: LiteModel): string[] {
  return signatures.map(({ name, graph, inputs, outputs }) => {
    const text = (tensors: typeof inputs): string =>
      tensors.map((t) => `${t.name} ${typeText(graphs[graph]!.tensors[t.tensor]!)}`).join(", ");
    return `${name}: ${text(inputs)} → ${text(outputs)}`;
  });
}

function graphLines({ name, operators, tensors }: LiteGraph, withGraph: boolean): string[] {
  const counts = new Map<string, number>();
  for (const { operator } of operators) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  const constants = tensors.filter((tensor) => tensor.data !== null);
  const lines = [
    `operators${name === "" ? "" : ` of ${name}`}`,
    table([...counts], "  "),
    "",
    "constants",
    table(
      constants.map((tensor) => [tensor.name, typeText(tensor), bytesText(tensor.data?.length ?? 0)]),
      "  ",
    ),
  ];
  if (!withGraph) return lines;
  const nameOf = (at: number): string => (at < 0 ? "-" : (tensors[at]?.name ?? `#${at}`));
  const steps = operators.map(({ operator, version, inputs, outputs }) => {
    return [`${operator} v${version}`, `${inputs.map(nameOf).join(", ")} → ${outputs.map(nameOf).join(", ")}`];
  });
  return [...lines, "", "graph", table(steps, "  ")];
}

/** "FLOAT32[-1,28,28,1]". */
const typeText = ({ type, shape, shapeSignature }: LiteTensor): string =>
  `${type}[${(shapeSignature ?? shape).join(",")}]`;

function jsonOf(model: LiteModel, size: number, withGraph: boolean): Readonly<Record<string, unknown>> {
  const graphs = model.graphs.map((graph) => ({
    name: graph.name,
    operators: withGraph ? graph.operators : graph.operators.map(({ operator, version }) => ({ operator, version })),
    tensors: graph.tensors.map(({ data, ...tensor }) => ({ ...tensor, bytes: data?.length ?? null })),
    inputs: graph.inputs,
    outputs: graph.outputs,
  }));
  return { format: "tflite", bytes: size, ...model, graphs };
}
