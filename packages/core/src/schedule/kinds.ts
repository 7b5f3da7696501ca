// What the scheduler asks of a node: whether loops take it, and in what part.
import type { Node } from "../ir/graph.js";
import { isElementwise } from "../ir/op.js";
import type { TypedArray } from "../types/dtype.js";

export const isReduction = (node: Node): boolean => node.op.kind === "reduce" && node.op.name.startsWith("reduce");

/** Whether a node computes each element of its result by itself. */
export const isPointwise = (node: Node): boolean => isElementwise(node.op) || node.op.name === "iota";

/** Whether a node may be part of a loop, as an instruction, a reduction or an index map. */
export const isFusible = (node: Node): boolean =>
  isPointwise(node) || isReduction(node) || node.op.kind === "constant" || node.op.kind === "shape";

export const isScalarConstant = (node: Node | null): node is Node =>
  node?.op.name === "constant" && (node.attrs.data as TypedArray).length === 1;

const renaming = new Set(["reshape", "bitcast", "identity", "stopGradient"]);
/** Whether a node's output has the bytes of its input: a reshape that no index map expresses, a bitcast. */
export const isAlias = (node: Node): boolean => renaming.has(node.op.name);
