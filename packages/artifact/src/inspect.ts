import type { Signal } from "@millrace/core";
import {
  completeLimits,
  type PackageVersion,
  type ReadLimits,
  type SavedFunction,
  type Signature,
  signatureOf,
  type TensorEntry,
} from "@millrace/core/graph";
import { withDefaults } from "@millrace/core/support";
import { readSaved } from "./load.js";
import { type ArtifactSource, openSource } from "./source.js";

/** How an artifact is looked at. */
export interface InspectOptions {
  readonly signal?: Signal | null;
  readonly limits?: Partial<ReadLimits>;
}

/** What an artifact holds. */
export interface ArtifactReport {
  /** Who wrote it. */
  readonly producer: PackageVersion;
  readonly signatures: Readonly<Record<string, Signature>>;
  /** The graphs with their names; `printGraph` shows one as text. */
  readonly functions: readonly SavedFunction[];
  /** The version of every op, and how many nodes apply it. */
  readonly ops: Readonly<Record<string, { readonly version: number; readonly count: number }>>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Sizes of the two files in bytes. */
  readonly bytes: { readonly graphs: number; readonly weights: number };
}

/**
 * Reads all of an artifact but its weights. Needs no backend.
 * @throws as `loadArtifact`
 * @example
 *     const { signatures, ops } = await inspectArtifact("half");
 * @public
 */
export async function inspectArtifact(source: ArtifactSource, options: InspectOptions = {}): Promise<ArtifactReport> {
  const { signal, limits } = withDefaults("inspectArtifact", options, { signal: null, limits: {} });
  const { artifact, jsonBytes, weightBytes } = await readSaved(
    await openSource(source, signal),
    completeLimits(limits),
  );
  const { producer, functions, tensors, metadata } = artifact;
  const counts = new Map<string, number>();
  for (const graph of new Set(functions.map((f) => f.graph))) countOps(graph, counts);
  return {
    producer,
    signatures: Object.fromEntries(functions.map((f) => [f.name, signatureOf(f)])),
    functions,
    ops: Object.fromEntries([...artifact.ops].map(([op, version]) => [op, { version, count: counts.get(op) ?? 0 }])),
    tensors,
    metadata,
    bytes: { graphs: jsonBytes, weights: weightBytes },
  };
}

function countOps(graph: SavedFunction["graph"], counts: Map<string, number>): void {
  for (const { op, regions } of graph.nodes) {
    counts.set(op.name, (counts.get(op.name) ?? 0) + 1);
    for (const region of regions) countOps(region, counts);
  }
}
