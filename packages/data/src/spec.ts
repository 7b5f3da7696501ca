// Shapes and dtypes of elements, where they are known before an iteration.
import { isMillraceError, type TensorSpec } from "@millrace/core";
import type { Element } from "./element.js";
import { type Rows, rowOf } from "./rows.js";
import { isSameStructure, type Structure } from "./structure.js";

/** The specs of an element's leaves. */
export interface Spec {
  readonly structure: Structure;
  readonly leaves: readonly TensorSpec[];
}

/** A number's, in a batch and elsewhere. */
export const numberSpec: Spec = { structure: { kind: "leaf" }, leaves: [{ shape: [], dtype: "float32" }] };

/** The spec of an element without tensors; undefined where a leaf would make no tensor. */
export function specOf(element: Element): Spec | undefined {
  const leaves: TensorSpec[] = [];
  for (const leaf of element.leaves) {
    const rows = rowsOf(leaf);
    if (!rows) return undefined;
    leaves.push({ shape: rows.shape, dtype: rows.dtype });
  }
  return { structure: element.structure, leaves };
}

function rowsOf(leaf: unknown): Rows | undefined {
  try {
    return rowOf(leaf)?.rows;
  } catch (error) {
    if (isMillraceError(error)) return undefined; // Ragged or mixed, which only a batch minds.
    throw error;
  }
}

/** The spec with other shapes. */
export function reshaped(
  spec: Spec | undefined,
  shape: (shape: TensorSpec["shape"]) => TensorSpec["shape"],
): Spec | undefined {
  return spec && { ...spec, leaves: spec.leaves.map((leaf) => ({ ...leaf, shape: shape(leaf.shape) })) };
}

/** The spec that both have, if they have one. */
export function sameSpec(a: Spec | undefined, b: Spec | undefined): Spec | undefined {
  if (!a || !b || !isSameStructure(a.structure, b.structure)) return undefined;
  return a.leaves.every((leaf, i) => isSameLeaf(leaf, b.leaves[i]!)) ? a : undefined;
}

function isSameLeaf(a: TensorSpec, b: TensorSpec): boolean {
  return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((d, i) => d === b.shape[i]);
}
