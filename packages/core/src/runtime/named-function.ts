import { type Dim, symbol } from "../ir/dim.js";
import type { Node } from "../ir/graph.js";
import { remember } from "../ir/remember.js";
import { withoutCopies } from "../passes/place.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { Tensor } from "../types/tensor.js";
import { traceFunction } from "./function.js";
import type { NamedGraph } from "./signature.js";
import { flattenStructure } from "./structure.js";
import { type TensorImpl, TracerTensor } from "./tensor.js";

/** A tensor that a function keeps: a weight, under a name that is unique among those of its functions. */
export interface NamedWeight {
  readonly name: string;
  readonly value: Tensor;
}

/**
 * A function to take elsewhere: a traced graph with names for what goes in and comes out. It is what models, artifacts,
 * converters and servers hand each other. The graph's parameters are the inputs, then the weights.
 */
export interface NamedFunction extends NamedGraph {
  /** Two functions share a weight where they hold the same tensor. */
  readonly weights: readonly NamedWeight[];
  /** The layer that a node comes from, for reports and errors; a saved function has forgotten it. */
  readonly layers?: ReadonlyMap<Node, string>;
}

interface LayerMark {
  readonly layer: string;
  readonly made: readonly Tensor[];
}

/** What layers made while a named function is being traced; null where none is. */
let marks: LayerMark[] | null = null;

/**
 * Says which layer made these tensors: a named function that is being traced will know it of its nodes.
 * @internal
 */
export function markLayer(layer: string, made: readonly Tensor[]): void {
  marks?.push({ layer, made });
}

/** An input of a named function: null is a size that any value may have, a name one that is equal wherever it stands. */
export interface NamedSpec {
  readonly shape: readonly (number | string | null)[];
  readonly dtype?: DType;
}

/**
 * Traces `f` once for any sizes that `inputs` leaves open.
 *
 * @param f takes and returns records of tensors by name, or returns one tensor, which is named "output"
 * @throws E_VARIABLE where `f` assigns a variable: a function that is taken elsewhere has no state
 * @example
 *     const double = nameFunction("serving_default", ({ x }) => ({ y: tf.mul(x!, 2) }), { x: { shape: ["batch", 4] } });
 */
export function nameFunction(
  name: string,
  f: (inputs: Record<string, Tensor>) => Readonly<Record<string, Tensor>> | Tensor,
  inputs: Readonly<Record<string, NamedSpec>>,
): NamedFunction {
  const names = Object.keys(inputs);
  const sizes = new Map<string, Dim>();
  const avals = names.map((input) => ({
    dtype: inputs[input]!.dtype ?? ("float32" as const),
    shape: inputs[input]!.shape.map((d, axis) => {
      if (typeof d === "number") return d;
      const key = d ?? `${input}_${axis}`;
      return remember(sizes, key, () => symbol(key, 0));
    }),
  }));
  const items = names.map((_, index) => ({ kind: "leaf" as const, index }));
  let outputs: readonly string[] = [];
  const body = (...leaves: Tensor[]): readonly Tensor[] => {
    const made = f(Object.fromEntries(names.map((input, i) => [input, leaves[i]!])));
    const record = isRecord(made) ? made : { output: made };
    outputs = Object.keys(record);
    return Object.values(record);
  };
  const outer = marks;
  const own: LayerMark[] = [];
  marks = own;
  let traced: ReturnType<typeof traceFunction>;
  try {
    traced = traceFunction(body, undefined, { kind: "list", items }, avals, undefined, name);
  } finally {
    marks = outer;
  }
  if (traced.assignsVariables) {
    throw new MillraceError("E_VARIABLE", `${name}: a function to be saved may read variables, not assign them`);
  }
  const kept = [...traced.captures, ...traced.variables];
  const layers = own.length > 0 ? { layers: layersOf(own) } : {};
  // Where it is taken there is one device.
  return { name, graph: withoutCopies(traced.graph), inputs: names, outputs, weights: nameWeights(kept), ...layers };
}

/** A node belongs to the first layer that was done after it. */
function layersOf(done: readonly LayerMark[]): ReadonlyMap<Node, string> {
  const layers = new Map<Node, string>();
  for (const { layer, made } of done) {
    const nodes = made.map((x) => (x instanceof TracerTensor ? x.value.node : null));
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node === null || layers.has(node)) continue;
      layers.set(node, layer);
      nodes.push(...node.inputs.map((v) => v.node));
    }
  }
  return layers;
}

function isRecord(x: Readonly<Record<string, Tensor>> | Tensor): x is Readonly<Record<string, Tensor>> {
  const leaves: TensorImpl[] = [];
  return flattenStructure(x, leaves).kind === "record";
}

/** Variables by their own names, captured tensors by number; a second of a name gets a number. */
function nameWeights(kept: readonly TensorImpl[]): NamedWeight[] {
  const taken = new Set<string>();
  return kept.map((value, i) => {
    const base = "name" in value && typeof value.name === "string" ? value.name : `constant_${i}`;
    let name = base;
    for (let n = 1; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    // boundary: installMethods has put the op methods on the prototype
    return { name, value: value as TensorImpl & Tensor };
  });
}
