// An artifact from its bytes: no files, no engine, no tensors.
import { formatAval } from "../ir/aval.js";
import type { Graph } from "../ir/graph.js";
import { viewAs } from "../ir/host.js";
import type { NamedGraph } from "../runtime/signature.js";
import type { TypedArray } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import {
  artifactFile,
  artifactFormat,
  artifactVersion,
  defaultLimits,
  type Json,
  jsonDepth,
  type PackageVersion,
  type ReadLimits,
  type TensorEntry,
} from "./artifact.js";
import { type Field, parseJson } from "./json.js";
import { readGraph } from "./read-graph.js";
import { dataStart, lengthBytes, readTensorEntries } from "./safetensors.js";
import { type Upgrades, upgrades } from "./upgrades.js";

/** A function of an artifact: its graph's parameters are the inputs, then these tensors of the file of weights. */
export interface SavedFunction extends NamedGraph {
  readonly weights: readonly string[];
}

/** What an artifact holds, all of it checked. */
export interface SavedArtifact {
  readonly producer: PackageVersion;
  readonly functions: readonly SavedFunction[];
  /** Every tensor of the file of weights. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The version of every op, as the file names it. */
  readonly ops: ReadonlyMap<string, number>;
  readonly metadata: Readonly<Record<string, Json>>;
}

/** How an artifact is read. */
export interface ReadOptions {
  readonly limits?: Partial<ReadLimits> | undefined;
  /** Those of this release, unless a test plants others. */
  readonly upgrades?: Upgrades;
}

/** An artifact.json whose graphs are not read yet. */
export interface ArtifactHead {
  readonly producer: PackageVersion;
  /** The tensors whose bytes the graphs need. */
  readonly constants: readonly string[];
  readonly metadata: Readonly<Record<string, Json>>;
  readonly ops: ReadonlyMap<string, number>;
  readonly packages: ReadonlyMap<string, string>;
  readonly graphs: Field;
  readonly signatures: Field;
}

/** The limits with the defaults in place of what is not given. */
export function completeLimits(given: Partial<ReadLimits> = {}): ReadLimits {
  return { ...defaultLimits, ...Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) };
}

/**
 * Reads an artifact whose two files are in memory.
 * @throws E_FORMAT where a file is not what it must be, with the place; E_VERSION where a newer release or a package of ops
 * is needed, with its name
 */
export function readArtifact(json: Uint8Array, weights: Uint8Array, options: ReadOptions = {}): SavedArtifact {
  const limits = completeLimits(options.limits);
  const head = readHead(json, limits);
  const start = dataStart(weights, weights.length, limits);
  const tensors = readTensorEntries(weights.subarray(lengthBytes, start), weights.length, limits);
  return readGraphs(head, tensors, (entry) => weights.subarray(entry.start, entry.end), options);
}

/** Reads what stands around the graphs. */
export function readHead(json: Uint8Array, limits: ReadLimits): ArtifactHead {
  if (json.length > limits.jsonBytes) {
    const what = `its ${json.length} bytes exceed the limit of ${limits.jsonBytes} (limits.jsonBytes)`;
    throw new MillraceError("E_FORMAT", `${artifactFile}: ${what}`);
  }
  const root = parseJson(json, artifactFile, jsonDepth(limits));
  checkVersion(root);
  const parts = root.fields(
    ["format", "formatVersion", "producer", "ops", "signatures", "graphs"],
    ["packages", "constants", "metadata"],
  );
  const producer = parts.producer.fields(["name", "version"]);
  const metadata = parts.metadata?.entries().map(([name, field]) => [name, field.json()] as const);
  return {
    producer: { name: producer.name.string(), version: producer.version.string() },
    constants: parts.constants ? uniqueNames(parts.constants) : [],
    metadata: Object.fromEntries(metadata ?? []),
    ops: new Map(parts.ops.entries().map(([name, version]) => [name, version.integer(1)])),
    packages: new Map((parts.packages?.entries() ?? []).map(([op, name]) => [op, name.string()])),
    graphs: parts.graphs,
    signatures: parts.signatures,
  };
}

/** A later format may have other fields, so its version is looked at first. */
function checkVersion(root: Field): void {
  const fields = new Map(root.entries());
  if (fields.get("format")?.value !== artifactFormat)
    throw root.error(`is no artifact: "format" must be "${artifactFormat}"`);
  const version = fields.get("formatVersion");
  if (!version) throw root.error('lacks "formatVersion"');
  if (version.integer(1) <= artifactVersion) return;
  const what = `is ${version.integer()}, and this release reads up to ${artifactVersion}: npm install millrace@latest`;
  throw new MillraceError("E_VERSION", `${version.path} ${what}`);
}

/** Reads the graphs, and joins them with their names and weights. */
export function readGraphs(
  head: ArtifactHead,
  tensors: ReadonlyMap<string, TensorEntry>,
  bytesOf: (entry: TensorEntry, name: string) => Uint8Array,
  options: ReadOptions = {},
): SavedArtifact {
  const constants = new Map<string, TypedArray>();
  for (const name of head.constants) {
    const entry = tensors.get(name);
    if (!entry)
      throw new MillraceError(
        "E_FORMAT",
        `${artifactFile}: the constant ${JSON.stringify(name)} is not among the weights`,
      );
    // A copy: graphs outlive the bytes of a file.
    constants.set(name, viewAs(entry.dtype, bytesOf(entry, name)).slice());
  }
  const context = {
    tensors,
    constants,
    versions: head.ops,
    packages: head.packages,
    upgrades: options.upgrades ?? upgrades,
    limits: completeLimits(options.limits),
    nodes: 0,
  };
  const graphs = head.graphs.items().map((graph) => readGraph(graph, context));
  const functions = head.signatures.entries().map(([name, field]) => readSignature(name, field, graphs, tensors));
  if (functions.length === 0) throw head.signatures.error("holds no signature");
  const { producer, ops, metadata } = head;
  return { producer, functions, tensors, ops, metadata };
}

function readSignature(
  name: string,
  field: Field,
  graphs: readonly Graph[],
  tensors: ReadonlyMap<string, TensorEntry>,
): SavedFunction {
  const parts = field.fields(["graph", "inputs", "outputs", "weights"]);
  const graph = graphs[parts.graph.integer(0, graphs.length - 1)]!;
  const [inputs, outputs] = [uniqueNames(parts.inputs), uniqueNames(parts.outputs)];
  const weights = parts.weights.strings();
  if (inputs.length + weights.length !== graph.params.length) {
    const got = `${inputs.length} inputs and ${weights.length} weights`;
    throw field.error(`names ${got} for a graph of ${graph.params.length} parameters`);
  }
  if (outputs.length !== graph.results.length)
    throw parts.outputs.error(`names ${outputs.length} outputs of a graph with ${graph.results.length}`);
  parts.weights.items().forEach((weight, i) => {
    const [entry, { aval }] = [tensors.get(weights[i]!), graph.params[inputs.length + i]!];
    if (!entry) throw weight.error("is not among the weights");
    if (formatAval(entry) !== formatAval(aval))
      throw weight.error(`is ${formatAval(entry)}, where the graph takes ${formatAval(aval)}`);
  });
  return { name, graph, inputs, outputs, weights };
}

function uniqueNames(field: Field): readonly string[] {
  const names = field.strings();
  if (new Set(names).size < names.length) throw field.error("names one of them twice");
  // As a key of an object it would be no key.
  if (names.includes("__proto__")) throw field.error("holds __proto__, which is no name");
  return names;
}
