// A saved graph is a directory of two files: artifact.json says what runs, weights.safetensors holds the numbers.
// docs/artifact.md is the contract.
import type { DType } from "../types/dtype.js";

/** What the JSON file says that it is. */
export const artifactFormat = "millrace-artifact";
/** Raised when a reader of the version before would misread a file. */
export const artifactVersion = 1;
export const artifactFile = "artifact.json";
export const weightsFile = "weights.safetensors";

/** Bounds on what is read from outside; what exceeds one is E_FORMAT before memory is taken for it. */
export interface ReadLimits {
  /** Bytes of the JSON text, and of the header of the weights. 32 MiB unless said. */
  readonly jsonBytes: number;
  /** Bytes of the weights. 64 GiB unless said. */
  readonly weightBytes: number;
  /** Nodes of all graphs and their regions. A million unless said. */
  readonly nodes: number;
  /** Regions in regions. 32 unless said. */
  readonly depth: number;
  /** Tensors in the file of weights. 100,000 unless said. */
  readonly tensors: number;
}

export const defaultLimits: ReadLimits = {
  jsonBytes: 2 ** 25,
  weightBytes: 2 ** 36,
  nodes: 1_000_000,
  depth: 32,
  tensors: 100_000,
};

/** Lists in JSON hold lists: those of an attribute in a node in a region take so many levels each. */
export const jsonDepth = (limits: ReadLimits): number => 32 + 8 * limits.depth;

/** A JSON value: metadata may be any. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A package and its version. */
export interface PackageVersion {
  readonly name: string;
  readonly version: string;
}

/** Where a tensor lies in the file of weights, in bytes from the start of the file. */
export interface TensorEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** An aval in JSON; a size that is not fixed is an expression: "batch*64+1". */
export interface AvalJson {
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

export interface NodeJson {
  readonly op: string;
  /** Numbers of values: the parameters first, then the outputs of each node. */
  readonly inputs?: readonly number[];
  readonly attrs?: { readonly [name: string]: Json };
  readonly regions?: readonly GraphJson[];
  readonly outputs: readonly AvalJson[];
}

export interface GraphJson {
  /** The least and the greatest value of each size with a name; null is no bound. */
  readonly symbols?: { readonly [name: string]: readonly [number, number | null] };
  readonly params: readonly AvalJson[];
  readonly nodes: readonly NodeJson[];
  readonly results: readonly number[];
  /** Comparisons of sizes that must hold. */
  readonly guards?: readonly (readonly ["eq" | "le", number | string, number | string])[];
}

export interface SignatureJson {
  readonly graph: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Tensors of the file of weights: the parameters that follow the inputs. */
  readonly weights: readonly string[];
}

/** The content of artifact.json. */
export interface ArtifactJson {
  readonly format: typeof artifactFormat;
  readonly formatVersion: number;
  readonly producer: { readonly name: string; readonly version: string };
  /** The version of every op that the graphs hold. */
  readonly ops: { readonly [name: string]: number };
  /** The package of every op from outside of core, where it is known. */
  readonly packages?: { readonly [op: string]: string };
  readonly signatures: { readonly [name: string]: SignatureJson };
  readonly graphs: readonly GraphJson[];
  /** Tensors of the file of weights that are part of graphs, not parameters. */
  readonly constants?: readonly string[];
  readonly metadata?: { readonly [name: string]: Json };
}
