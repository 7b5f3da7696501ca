import { type DType, MillraceError, type Tensor } from "@millrace/autodiff";
import { InputLayer } from "../layers/core/input-layer.js";
import { Model } from "../training/model.js";
import type { FunctionalRule, LayerRule } from "../types.js";
import { type BatchShape, type BatchShapes, isShapeList } from "../util/shapes.js";
import { type CallOptions, isList, type Layer, type Tensors } from "./layer.js";
import type { SummaryRow } from "./summary.js";
import { type LayerCall, SymbolicTensor } from "./symbolic.js";

/**
 * One symbolic tensor or several.
 * @public
 */
export type SymbolicTensors = SymbolicTensor | readonly SymbolicTensor[];

/**
 * Options of `model`.
 * @public
 */
export interface FunctionalConfig<
  Ins extends SymbolicTensors = SymbolicTensors,
  Outs extends SymbolicTensors = SymbolicTensors,
> {
  readonly inputs: Ins;
  readonly outputs: Outs;
  readonly name?: string;
}

/**
 * A model drawn with symbolic tensors: any graph of layers from inputs to outputs.
 * @public
 */
export class Functional<R extends LayerRule = LayerRule> extends Model<R> {
  static override readonly className: string = "Functional";
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  private readonly givesList: boolean;
  /** The applications of layers, each after those it needs. */
  private readonly calls: readonly LayerCall[];

  constructor(config: FunctionalConfig) {
    super(config.name === undefined ? {} : { name: config.name });
    this.inputs = listOf("inputs", config.inputs);
    this.outputs = listOf("outputs", config.outputs);
    this.givesList = Array.isArray(config.outputs);
    this.calls = order(this.inputs, this.outputs);
    this.checkNames();
    this.buildFor(this.inputs.length === 1 ? this.inputs[0]!.shape : this.inputs.map((x) => x.shape));
  }

  override get layers(): readonly Layer[] {
    return [...new Set(this.calls.map((call) => call.layer))];
  }
  override get inputNames(): readonly string[] {
    return this.inputs.map((x) => x.name);
  }
  override get outputNames(): readonly string[] {
    return this.outputs.map((x) => x.name);
  }
  override get inputShapes(): readonly BatchShape[] {
    return this.inputs.map((x) => x.shape);
  }
  override get inputDTypes(): readonly DType[] {
    return this.inputs.map((x) => x.dtype);
  }

  override call(inputs: Tensors, options: CallOptions): Tensors {
    const given = isList(inputs) ? inputs : [inputs];
    this.checkCount(given.length);
    const values = new Map<SymbolicTensor, Tensor>();
    this.inputs.forEach((symbol, i) => {
      // boundary: an InputLayer gives one tensor
      values.set(symbol, symbol.source.layer.applyTensors(given[i]!, options) as Tensor);
    });
    for (const call of this.calls) {
      if (call.inputs.length === 0) continue;
      const args = call.inputs.map((x) => values.get(x)!);
      const result = call.layer.applyTensors(call.isList ? args : args[0]!, options);
      for (const [i, x] of (isList(result) ? result : [result]).entries()) values.set(call.outputs[i]!, x);
    }
    const results = this.outputs.map((x) => values.get(x)!);
    return this.givesList ? results : results[0]!;
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShapes {
    const given = isShapeList(inputShape) ? inputShape : [inputShape];
    this.checkCount(given.length);
    const shapes = new Map<SymbolicTensor, BatchShape>(this.inputs.map((x, i) => [x, given[i]!]));
    for (const call of this.calls) {
      if (call.inputs.length === 0) continue;
      const args = call.inputs.map((x) => shapes.get(x)!);
      const result = call.layer.computeOutputShape(call.isList ? args : args[0]!);
      for (const [i, shape] of (isShapeList(result) ? result : [result]).entries()) shapes.set(call.outputs[i]!, shape);
    }
    const results = this.outputs.map((x) => shapes.get(x)!);
    return this.givesList ? results : results[0]!;
  }

  override computeOutputDType(): DType {
    return this.outputs[0]!.dtype;
  }

  private checkCount(count: number): void {
    if (count === this.inputs.length) return;
    const message = `model "${this.name}" takes ${this.inputs.length} inputs, got ${count}`;
    throw new MillraceError("E_ARGUMENT", message, { layer: this.name });
  }

  override getConfig(): Record<string, unknown> {
    const what = "the configuration of a functional model is not built yet; make the model again, and set its weights";
    throw new MillraceError("E_UNIMPLEMENTED", `getConfig: ${what}`, { layer: this.name });
  }

  override summaryRows(): SummaryRow[] {
    const isChain = this.calls.every(
      (call, i) => call.inputs.length <= 1 && (i === 0 || call.inputs[0]?.source === this.calls[i - 1]),
    );
    return this.calls.map((call) => ({
      layer: call.layer,
      outputShape: call.outputs.length === 1 ? call.outputs[0]!.shape : call.outputs.map((x) => x.shape),
      connectedTo: isChain ? null : call.inputs.map((x) => x.source.layer.name),
    }));
  }
}

/**
 * A model from its inputs and outputs.
 * @example tf.model({ inputs: x, outputs: tf.layers.dense({ units: 10 }).apply(x) })
 * @throws E_ARGUMENT where an output depends on an input that is not listed
 * @public
 */
export function model<const Ins extends SymbolicTensors, const Outs extends SymbolicTensors>(
  config: FunctionalConfig<Ins, Outs>,
): Functional<FunctionalRule<Ins, Outs>> {
  return new Functional<FunctionalRule<Ins, Outs>>(config);
}

function listOf(what: string, xs: SymbolicTensors): readonly SymbolicTensor[] {
  const list = Array.isArray(xs) ? (xs as readonly SymbolicTensor[]) : [xs as SymbolicTensor];
  if (list.length > 0 && list.every((x) => x instanceof SymbolicTensor)) return list;
  throw new MillraceError("E_ARGUMENT", `model: ${what} must be symbolic tensors, as tf.input and layers make them`);
}

/** The applications that the outputs need, inputs first. */
function order(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): LayerCall[] {
  const found = new Set<LayerCall>();
  const stack: { readonly call: LayerCall; next: number }[] = [];
  const enter = (x: SymbolicTensor): void => {
    if (inputs.includes(x)) found.add(x.source);
    if (found.has(x.source)) return;
    if (x.source.layer instanceof InputLayer) {
      throw new MillraceError(
        "E_ARGUMENT",
        `model: the outputs depend on the input "${x.name}", which is not among inputs`,
      );
    }
    stack.push({ call: x.source, next: 0 });
  };
  for (const x of inputs) enter(x);
  for (const output of outputs) {
    enter(output);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const input = top.call.inputs[top.next++];
      if (input) enter(input);
      else {
        found.add(top.call);
        stack.pop();
      }
    }
  }
  return [...found];
}
