// An artifact as bytes: see read.ts.
import type { NamedGraph } from "../runtime/signature.js";
import { MillraceError } from "../types/errors.js";
import { platform } from "../types/platform.js";
import { version } from "../types/version.gen.js";
import {
  type ArtifactJson,
  artifactFile,
  artifactFormat,
  artifactVersion,
  type GraphJson,
  type Json,
  type SignatureJson,
  weightsFile,
} from "./artifact.js";
import { GraphWriter } from "./write-graph.js";
import { type TensorData, writeSafetensors } from "./write-safetensors.js";

/** A function to be written; its weights are names among the tensors. */
export interface FunctionToWrite extends NamedGraph {
  readonly weights: readonly string[];
}

/** The files of an artifact, by name. */
export function writeArtifact(
  functions: readonly FunctionToWrite[],
  tensors: ReadonlyMap<string, TensorData>,
  metadata: { readonly [name: string]: Json } = {},
): ReadonlyMap<string, Uint8Array> {
  if (functions.length === 0) throw new MillraceError("E_ARGUMENT", "an artifact holds at least one function");
  const writer = new GraphWriter((name) => tensors.has(name));
  const graphs: GraphJson[] = [];
  const numbers = new Map<NamedGraph["graph"], number>();
  const signatures = new Map<string, SignatureJson>();
  for (const { name, graph, inputs, outputs, weights } of functions) {
    checkName(name);
    if (signatures.has(name)) throw new MillraceError("E_ARGUMENT", `two functions are called ${JSON.stringify(name)}`);
    if (!numbers.has(graph)) numbers.set(graph, graphs.push(writer.write(graph)) - 1);
    signatures.set(name, { graph: numbers.get(graph)!, inputs, outputs, weights });
  }
  const ops = [...writer.ops.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const packages = ops.flatMap((op) => (op.package === undefined ? [] : [[op.name, op.package] as const]));
  const json: ArtifactJson = {
    format: artifactFormat,
    formatVersion: artifactVersion,
    producer: { name: "millrace", version },
    ops: Object.fromEntries(ops.map((op) => [op.name, op.version])),
    ...(packages.length > 0 ? { packages: Object.fromEntries(packages) } : {}),
    signatures: Object.fromEntries(signatures),
    graphs,
    ...(writer.constants.size > 0 ? { constants: [...writer.constants.keys()] } : {}),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  };
  return new Map([
    [artifactFile, new platform.TextEncoder().encode(`${layout(json)}\n`)],
    [weightsFile, writeSafetensors(new Map([...tensors, ...writer.constants]))],
  ]);
}

function checkName(name: string): void {
  if (name === "__proto__") throw new MillraceError("E_ARGUMENT", "a function cannot be called __proto__");
}

/** JSON with a line for each node: artifacts are compared by people too. */
function layout(value: unknown, indent = ""): string {
  const flat = JSON.stringify(value);
  if (flat.length <= 100 || typeof value !== "object" || value === null) return flat;
  const inner = `${indent} `;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((item: unknown) => layout(item, inner))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${layout(item, inner)}`);
  const [open, close] = isList ? "[]" : "{}";
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}
