/// <reference lib="esnext.disposable" preserve="true" />
import { MillraceError } from "../types/errors.js";
import { withDefaults } from "../types/options.js";
import type { Tensor } from "../types/tensor.js";
import type { Device } from "./device.js";
import { engine } from "./engine.js";
import type { NamedFunction, NamedWeight } from "./named-function.js";
import { functionName } from "./origins.js";
import { checkInputs, graphNamed, inOrder, type Signature, signatureOf } from "./signature.js";
import { TensorImpl } from "./tensor.js";

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
  /** What was saved beside the graphs, such as the names of classes. */
  readonly metadata: Readonly<Record<string, unknown>>;
  private readonly functions: ReadonlyMap<string, NamedFunction>;
  private isDisposed = false;

  constructor(functions: readonly NamedFunction[], metadata: Readonly<Record<string, unknown>> = {}) {
    this.metadata = metadata;
    this.functions = new Map(functions.map((f) => [f.name, f]));
    for (const f of functions) engine.graphs.nameResults(f.graph, () => functionName(f.name));
    this.signatures = Object.fromEntries(functions.map((f) => [f.name, signatureOf(f)]));
  }

  /**
   * Runs a signature.
   * @returns its outputs by name
   * @throws E_ARGUMENT where an input is missing or unknown, E_SHAPE and E_DTYPE where one does not fit
   * @example const { output } = executable.run({ input: tf.zeros([1, 28, 28, 1]) });
   */
  run(inputs: ExecutableInput, options: ExecutableOptions = {}): Record<string, Tensor> {
    const f = graphNamed(this.functions, withDefaults("run", options, { signature: undefined }).signature);
    if (this.isDisposed) throw new MillraceError("E_DISPOSED", `${f.name}: the executable was disposed of`);
    const args = f.weights.map((w) => ownTensor(w));
    const leaves = named(f, inputs);
    checkInputs(
      f,
      leaves.map((x) => x.aval),
    );
    const all = [...leaves, ...args];
    const device: Device = all[0]?.type.device ?? engine.defaultDevice();
    const made = engine.runBound(device, engine.graphs.bind(f.graph, device, all), all);
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

  /** Frees the weights, and gives the programs back. */
  dispose(): void {
    this.isDisposed = true;
    for (const { value } of this.weights) value.dispose();
    for (const { graph } of this.functions.values()) engine.graphs.release(graph);
  }
  [Symbol.dispose](): void {
    this.dispose();
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
      : inOrder(f, inputs as Readonly<Record<string, unknown>>);
  if (list.length !== f.inputs.length) {
    const names = f.inputs.join(", ");
    throw new MillraceError("E_ARGUMENT", `${f.name} takes ${f.inputs.length} inputs (${names}), got ${list.length}`);
  }
  return list.map((x, i) => {
    if (x instanceof TensorImpl) {
      x.live(f.name);
      return engine.snapshot(x);
    }
    throw new MillraceError("E_ARGUMENT", `${f.name}: the input "${f.inputs[i]}" is missing or no tensor`);
  });
}
