import { inspectArtifact } from "@millrace/artifact";
import { printGraph } from "@millrace/core/graph";
import { bytesText, table } from "../output.js";
import type { Description } from "./description.js";
import { signatureText } from "./signature.js";

/** A saved graph: signatures, ops and weights. */
export async function describeArtifact(path: string, withGraph: boolean): Promise<Description> {
  const { functions, tensors, ...report } = await inspectArtifact(path);
  const { producer, bytes, metadata, signatures } = report;
  const ops = Object.entries(report.ops).sort(([, a], [, b]) => b.count - a.count);
  const weights = [...tensors].map(([name, { dtype, shape, start, end }]) => ({
    name,
    dtype,
    shape,
    bytes: end - start,
  }));
  const graphs = Object.fromEntries(functions.map(({ name, graph }) => [name, printGraph(graph)]));
  const lines = [
    `${path}: a saved graph, by ${producer.name} ${producer.version}`,
    `graphs ${bytesText(bytes.graphs)}, weights ${bytesText(bytes.weights)}`,
    "",
    ...Object.entries(signatures).map(([name, signature]) => signatureText(name, signature)),
    "",
    "ops",
    table(
      ops.map(([name, { count, version }]) => [name, count, version === 1 ? "" : `version ${version}`]),
      "  ",
    ),
    "",
    "weights",
    table(
      weights.map((w) => [w.name, `${w.dtype}[${w.shape.join(",")}]`, bytesText(w.bytes)]),
      "  ",
    ),
  ];
  if (Object.keys(metadata).length > 0) lines.push("", "metadata", `  ${JSON.stringify(metadata)}`);
  if (withGraph) for (const [name, text] of Object.entries(graphs)) lines.push("", name, text);
  return { lines, json: { format: "millrace", ...report, weights, ...(withGraph ? { graphs } : {}) } };
}
