// What a graph with names takes and gives; the part of named functions that knows neither tensors nor the engine.
import { type Aval, formatAval } from "../ir/aval.js";
import { type Dim, dimKey, symbol } from "../ir/dim.js";
import type { Graph } from "../ir/graph.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import { didYouMean } from "../types/options.js";

/** The signature that is called where none is named. */
export const defaultSignature = "serving_default";

/** One input or output of a signature; a size that is not fixed is written by its name or as an expression of names. */
export interface NamedAval {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/** What a named function takes and gives. */
export interface Signature {
  readonly inputs: readonly NamedAval[];
  readonly outputs: readonly NamedAval[];
}

/** A graph with names for what goes in and comes out. Its first parameters are the inputs. */
export interface NamedGraph {
  /** That of the signature: "serving_default". */
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The signature of a named graph. */
export function signatureOf({ graph, inputs, outputs }: NamedGraph): Signature {
  const named = (name: string, { dtype, shape }: { dtype: DType; shape: readonly Dim[] }): NamedAval => ({
    name,
    dtype,
    shape: shape.map((d) => (typeof d === "number" ? d : dimKey(d))),
  });
  return {
    inputs: inputs.map((name, i) => named(name, graph.params[i]!.aval)),
    outputs: outputs.map((name, i) => named(name, graph.results[i]!.aval)),
  };
}

/** The graph that is called by a signature's name: where none is given the default one, or the only one. */
export function graphNamed<G extends NamedGraph>(graphs: ReadonlyMap<string, G>, signature: string | undefined): G {
  const name = signature ?? (graphs.size === 1 ? [...graphs.keys()][0]! : defaultSignature);
  const found = graphs.get(name);
  if (found) return found;
  const hint = didYouMean(name, graphs.keys()) || ` among ${[...graphs.keys()].join(", ")}`;
  throw new MillraceError("E_ARGUMENT", `there is no signature "${name}"${hint}`);
}

/** Inputs by name in the order of the graph's parameters, undefined where one is missing. Throws on one too many. */
export function inOrder<T>({ name, inputs }: NamedGraph, given: Readonly<Record<string, T>>): (T | undefined)[] {
  for (const key of Object.keys(given)) {
    if (inputs.includes(key)) continue;
    throw new MillraceError("E_ARGUMENT", `${name} has no input "${key}", only ${inputs.join(", ")}`);
  }
  return inputs.map((input) => (Object.hasOwn(given, input) ? given[input] : undefined));
}

/** Throws E_SHAPE or E_DTYPE where an input does not fit its parameter. */
export function checkInputs({ name, graph, inputs }: NamedGraph, given: readonly Aval[]): void {
  const sizes = new Map<string, number>();
  given.forEach((x, i) => {
    const want = graph.params[i]!.aval;
    if (fits(want, x, sizes)) return;
    const code = want.dtype === x.dtype ? "E_SHAPE" : "E_DTYPE";
    throw new MillraceError(code, `${name}: the input "${inputs[i]}" is ${formatAval(want)}, got ${formatAval(x)}`, {
      op: name,
      shapes: [x.shape.map(Number)],
      dtypes: [x.dtype],
    });
  });
}

/** Whether a tensor is one of those that an aval stands for; `sizes` collects what its symbols are. */
export function fits(want: Aval, got: Aval, sizes: Map<string, number>): boolean {
  if (want.dtype !== got.dtype || want.shape.length !== got.shape.length) return false;
  return want.shape.every((d, i) => {
    const size = Number(got.shape[i]);
    if (typeof d === "number") return d === size;
    const known = sizes.get(d.key);
    sizes.set(d.key, size);
    const atom = d.terms[0]?.atoms[0];
    const inRange = atom?.kind !== "symbol" || size >= atom.min;
    return inRange && (known === undefined || known === size);
  });
}

/** The same dtype and rank, and sizes that differ only where both are over 1: 0 and 1 broadcast otherwise. */
export function alikeBut(a: Aval, b: Aval): boolean {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false;
  return a.shape.every((d, i) => d === b.shape[i] || ((typeof d !== "number" || d > 1) && Number(b.shape[i]) > 1));
}

/** What an argument of a function looks like: null is a size that any value may have. */
export interface TensorSpec {
  readonly shape: readonly (number | null)[];
  readonly dtype?: DType;
}

/** What a trace for an input signature takes; these tensors must fit it. */
export function specAvals(specs: readonly TensorSpec[], leaves: readonly { readonly aval: Aval }[]): Aval[] {
  if (specs.length !== leaves.length) {
    throw new MillraceError(
      "E_ARGUMENT",
      `inputSignature describes ${specs.length} tensors, the call has ${leaves.length}`,
    );
  }
  const avals = specs.map((spec, i) => ({
    dtype: spec.dtype ?? "float32",
    shape: spec.shape.map((d, axis) => d ?? symbol(`d${i}_${axis}`, 0)),
  }));
  leaves.forEach((x, i) => {
    if (fits(avals[i]!, x.aval, new Map())) return;
    throw new MillraceError(
      "E_SHAPE",
      `argument ${i} is ${formatAval(x.aval)}, inputSignature says ${formatAval(avals[i]!)}`,
    );
  });
  return avals;
}
