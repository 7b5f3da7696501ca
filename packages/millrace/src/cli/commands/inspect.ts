// `millrace inspect`: what is in a file, told by its content.
import { type ArtifactReport, inspectArtifact } from "@millrace/artifact";
import { type NamedAval, printGraph, type Signature } from "@millrace/core/graph";
import { bytesText, print, printJson, table } from "../output.js";
import "../../index.js";

interface InspectOptions {
  readonly graph?: boolean;
  readonly json?: boolean;
}

/** Prints the graphs, signatures and sizes of a saved model. */
export async function inspect(path: string, options: InspectOptions): Promise<void> {
  const report = await inspectArtifact(path);
  if (options.json) printJson(jsonOf(report, options.graph ?? false));
  else printReport(path, report, options.graph ?? false);
}

function printReport(path: string, report: ArtifactReport, withGraph: boolean): void {
  const { producer, bytes, metadata } = report;
  print(`${path}: a saved graph, by ${producer.name} ${producer.version}`);
  print(`graphs ${bytesText(bytes.graphs)}, weights ${bytesText(bytes.weights)}\n`);
  for (const [name, signature] of Object.entries(report.signatures)) print(signatureText(name, signature));
  const ops = Object.entries(report.ops).sort(([, a], [, b]) => b.count - a.count);
  print(
    `\nops\n${table(
      ops.map(([name, { count, version }]) => [name, count, version === 1 ? "" : `version ${version}`]),
      "  ",
    )}`,
  );
  const weights = [...report.tensors].map(([name, { dtype, shape, start, end }]) => {
    return [name, `${dtype}[${shape.join(",")}]`, bytesText(end - start)];
  });
  print(`\nweights\n${table(weights, "  ")}`);
  if (Object.keys(metadata).length > 0) print(`\nmetadata\n  ${JSON.stringify(metadata)}`);
  if (!withGraph) return;
  for (const { name, graph } of report.functions) print(`\n${name}\n${printGraph(graph)}`);
}

/** "serving_default: input float32[batch,784] → output float32[batch,10]". */
export function signatureText(name: string, { inputs, outputs }: Signature): string {
  return `${name}: ${inputs.map(tensorText).join(", ")} → ${outputs.map(tensorText).join(", ")}`;
}

const tensorText = ({ name, dtype, shape }: NamedAval): string => `${name} ${dtype}[${shape.join(",")}]`;

function jsonOf(report: ArtifactReport, withGraph: boolean): unknown {
  const { functions, tensors, ...rest } = report;
  return {
    format: "millrace",
    ...rest,
    weights: [...tensors].map(([name, { dtype, shape, start, end }]) => ({ name, dtype, shape, bytes: end - start })),
    ...(withGraph ? { graphs: Object.fromEntries(functions.map((f) => [f.name, printGraph(f.graph)])) } : {}),
  };
}
