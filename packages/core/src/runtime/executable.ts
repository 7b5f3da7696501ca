/// <reference lib="esnext.disposable" preserve="true" />
import { formatAval } from "../ir/aval.js";
import { MillraceError } from "../types/errors.js";
import { nearestName, withDefaults } from "../types/options.js";
import type { Tensor } from "../types/tensor.js";
import type { Device } from "./device.js";
import { engine } from "./engine.js";
import { fits } from "./function.js";
import { type NamedFunction, type NamedWeight, type Signature, signatureOf } from "./named-function.js";
import { TensorImpl } from "./tensor.js";

/** The signature that is called where none is named. */
export const defaultSignature = "serving_default";

/** What an executable is called with: tensors by name, in order, or the only one. */
export type ExecutableInput = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** How an executable is called. */
export interface ExecutableOptions {
  /** "serving_default" unless said, or the only one there is. */
  readonly signature?: string;
}

/**
 * Graphs with their weights, ready to run: what a saved model is when it is loaded to be served, not trained.
 * Its weights are its own: `dispose` frees them.
 */
export class Executable {
  /** What can be called, by name. */
  readonly signatures: Readonly<Record<string, Signature>>;
  private readonly functions: ReadonlyMap<string, NamedFunction>;

  constructor(functions: readonly NamedFunction[]) {
    this.functions = new Map(functions.map((f) => [f.name, f]));
    this.signatures = Object.fromEntries(functions.map((f) => [f.name, signatureOf(f)]));
  }

  /**
   * Runs a signature.
   * @returns its outputs by name
   * @throws E_ARGUMENT where an input is missing or unknown, E_SHAPE and E_DTYPE where one does not fit
   * @example const { output } = executable.run({ input: tf.zeros([1, 28, 28, 1]) });
   */
  run(inputs: ExecutableInput, options: ExecutableOptions = {}): Record<string, Tensor> {
    const f = this.function(withDefaults("run", options, { signature: undefined }).signature);
    const args = f.weights.map((w) => ownTensor(w));
    const leaves = named(f, inputs);
    checkInputs(f, leaves);
    const all = [...leaves, ...args];
    const device: Device = all[0]?.type.device ?? engine.defaultDevice();
    const { bound, outs } = engine.graphs.bind(f.graph, device, all);
    const made = engine.runBound(device, bound, outs, all);
    return Object.fromEntries(f.outputs.map((name, i) => [name, made[i]!]));
  }

  /**
   * Runs the default signature: its one output, or its outputs by name where it has several.
   * @example const probabilities = executable.predict(x) as Tensor;
   */
  predict(inputs: ExecutableInput): Tensor | Record<string, Tensor> {
    const outputs = this.run(inputs);
    const [only, ...others] = Object.values(outputs);
    return only && others.length === 0 ? only : outputs;
  }

  /** The functions to convert or to save again; their weights stay this executable's. */
  toConcreteFunctions(): readonly NamedFunction[] {
    return [...this.functions.values()];
  }

  /** The weights, each once. */
  get weights(): readonly NamedWeight[] {
    const seen = new Set<Tensor>();
    const all = [...this.functions.values()].flatMap((f) => f.weights);
    return all.filter(({ value }) => !seen.has(value) && seen.add(value));
  }

  dispose(): void {
    for (const { value } of this.weights) value.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  private function(signature: string | undefined): NamedFunction {
    const name = signature ?? (this.functions.size === 1 ? [...this.functions.keys()][0]! : defaultSignature);
    const found = this.functions.get(name);
    if (found) return found;
    const near = nearestName(name, this.functions.keys());
    const hint = near === undefined ? ` among ${[...this.functions.keys()].join(", ")}` : ` (did you mean "${near}"?)`;
    throw new MillraceError("E_ARGUMENT", `there is no signature "${name}"${hint}`);
  }
}

function ownTensor({ value }: NamedWeight): TensorImpl {
  if (value instanceof TensorImpl) return value;
  throw new MillraceError("E_DUPLICATE_CORE", "an executable's weights belong to another copy of @millrace/core");
}

function named(f: NamedFunction, inputs: ExecutableInput): TensorImpl[] {
  const list: readonly unknown[] = Array.isArray(inputs)
    ? inputs
    : inputs instanceof TensorImpl
      ? [inputs]
      : f.inputs.map((name) => (inputs as Readonly<Record<string, unknown>>)[name]);
  if (list.length !== f.inputs.length) {
    const names = f.inputs.join(", ");
    throw new MillraceError("E_ARGUMENT", `${f.name} takes ${f.inputs.length} inputs (${names}), got ${list.length}`);
  }
  if (!Array.isArray(inputs) && !(inputs instanceof TensorImpl)) {
    for (const key of Object.keys(inputs)) {
      if (f.inputs.includes(key)) continue;
      throw new MillraceError("E_ARGUMENT", `${f.name} has no input "${key}", only ${f.inputs.join(", ")}`);
    }
  }
  return list.map((x, i) => {
    if (x instanceof TensorImpl) {
      x.live(f.name);
      return engine.snapshot(x);
    }
    throw new MillraceError("E_ARGUMENT", `${f.name}: the input "${f.inputs[i]}" is missing or no tensor`);
  });
}

function checkInputs(f: NamedFunction, leaves: readonly TensorImpl[]): void {
  const sizes = new Map<string, number>();
  leaves.forEach((x, i) => {
    const want = f.graph.params[i]!.aval;
    if (fits(want, x.aval, sizes)) return;
    const code = want.dtype === x.dtype ? "E_SHAPE" : "E_DTYPE";
    throw new MillraceError(
      code,
      `${f.name}: the input "${f.inputs[i]}" is ${formatAval(want)}, got ${formatAval(x)}`,
      {
        op: f.name,
        shapes: [x.shape],
        dtypes: [x.dtype],
      },
    );
  });
}
