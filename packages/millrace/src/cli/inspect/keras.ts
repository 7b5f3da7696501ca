import { printGraph, signatureOf } from "@millrace/core/graph";
import * as tf from "../../index.js";
import { bytesText } from "../output.js";
import type { Description } from "./description.js";
import { signatureText } from "./signature.js";

/** A Keras model: its table of layers, and what it takes and gives. */
export async function describeKeras(path: string, withGraph: boolean): Promise<Description> {
  const model = await tf.loadModel(path, { compile: false });
  const summary: string[] = [];
  model.summary({ printFn: (line) => summary.push(line) });
  const functions = model.toConcreteFunctions();
  const signatures = Object.fromEntries(functions.map((f) => [f.name, signatureOf(f)]));
  const graphs = Object.fromEntries(functions.map(({ name, graph }) => [name, printGraph(graph)]));
  const weights = model.weights.map(({ name, dtype, shape, size }) => ({ name, dtype, shape: [...shape], size }));
  const layers = model.layers.map((layer) => ({ name: layer.name, class: layer.className }));
  model.dispose();
  const { bytes } = await tf.getFiles().stat(path);
  const lines = [
    `${path}: a Keras model, ${bytesText(bytes)}`,
    "",
    ...Object.entries(signatures).map(([name, signature]) => signatureText(name, signature)),
    "",
    ...summary,
  ];
  if (withGraph) for (const [name, text] of Object.entries(graphs)) lines.push("", name, text);
  const json = { format: "keras", bytes, signatures, layers, weights, ...(withGraph ? { graphs } : {}) };
  return { lines, json };
}
