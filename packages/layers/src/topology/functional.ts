import { type DType, MillraceError, type Tensor } from "@millrace/autodiff";
import { Model } from "../training/model.js";
import type { FunctionalRule, LayerRule } from "../types.js";
import { type BatchShape, type BatchShapes, isShapeList } from "../util/shapes.js";
import {
  describeGraph,
  drawGraph,
  type GraphConfig,
  type GraphNode,
  type GraphOrder,
  graphConfig,
  orderGraph,
} from "./graph.js";
import { type CallOptions, forInner, isList, type Layer, type Tensors } from "./layer.js";
import { deserializeLayer, registerKerasSerializable } from "./registry.js";
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
  private readonly order: GraphOrder;

  constructor(config: FunctionalConfig) {
    super(config.name === undefined ? {} : { name: config.name });
    this.inputs = listOf("inputs", config.inputs);
    this.outputs = listOf("outputs", config.outputs);
    this.givesList = Array.isArray(config.outputs);
    this.order = orderGraph(this.inputs, this.outputs);
    this.checkNames();
    this.buildFor(this.inputs.length === 1 ? this.inputs[0]!.shape : this.inputs.map((x) => x.shape));
  }

  /** In Keras's order, inputs among them. */
  override get layers(): readonly Layer[] {
    return this.order.layers;
  }
  /** The applications of layers, each after those it needs. */
  private get calls(): readonly LayerCall[] {
    return this.order.calls;
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
    const [own, inner] = forInner(inputs, options);
    const given = isList(own) ? own : [own];
    this.checkCount(given.length);
    const values = new Map<SymbolicTensor, Tensor>();
    this.inputs.forEach((symbol, i) => {
      // boundary: an InputLayer gives one tensor
      values.set(symbol, symbol.source.layer.applyTensors(given[i]!, inner) as Tensor);
    });

    for (const call of this.calls) {
      if (call.inputs.length === 0) continue;
      const args = call.inputs.map((x) => values.get(x)!);
      const result = call.layer.applyTensors(call.isList ? args : args[0]!, inner);
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

  /**
   * The graph by names, with the layers themselves.
   * @internal
   */
  graph(): GraphConfig<Layer, GraphNode> {
    return this.located(() => graphConfig(this.order, this.inputs, this.outputs, this.givesList));
  }

  override getConfig(): Record<string, unknown> {
    return { name: this.name, ...describeGraph(this.graph()) };
  }

  // boundary: as in Layer
  static override fromConfig<L>(this: new (config: any) => L, config: Readonly<Record<string, unknown>>): L {
    // boundary: a configuration is what getConfig gave
    const { name, ...graph } = config as unknown as GraphConfig & { readonly name?: string };
    const layers = graph.layers.map((entry) => ({ ...entry, layer: deserializeLayer(entry.layer) }));
    return new this({ ...drawGraph({ ...graph, layers }), ...(name === undefined ? {} : { name }) });
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

registerKerasSerializable(Functional);

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
