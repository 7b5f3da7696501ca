// What artifacts of earlier releases say, in the words of this one.
import type { Attrs } from "../ir/attrs.js";

/** A node as a file holds it: an op by name and version, and its attributes. */
export interface SavedOp {
  readonly op: string;
  readonly version: number;
  readonly attrs: Attrs;
}

/**
 * By op and version: the same node in a later version, or as another op with the same operands and outputs. An op whose
 * version is raised gets an entry here for the version before, so that every artifact loads for ever.
 */
export type Upgrades = Readonly<Record<string, Readonly<Record<number, (node: SavedOp) => SavedOp>>>>;

export const upgrades: Upgrades = {};
