// The graph of a functional model: its order, and how it is written down: layers by name, and what each was applied to.
import { MillraceError } from "@millrace/autodiff";
import { InputLayer } from "../layers/core/input-layer.js";
import type { Serialized } from "../util/identifiers.js";
import { serialize } from "../util/serialize.js";
import { symbolOf } from "./input.js";
import type { Layer } from "./layer.js";
import type { LayerCall, SymbolicTensor } from "./symbolic.js";

/** A tensor of a graph: the name of its layer, which application of that, and which of its results. */
export type TensorReference = readonly [layer: string, node: number, tensor: number];

/** One application of a layer. */
export interface NodeConfig {
  readonly inputs: readonly TensorReference[];
  /** Whether the layer was given a list, which a list of one differs from a tensor in. */
  readonly isList: boolean;
}

/** The same with the tensors themselves. */
export interface GraphNode extends NodeConfig {
  readonly tensors: readonly SymbolicTensor[];
}

/** A layer of a graph, and its applications in order. */
export interface GraphLayer<L, N = NodeConfig> {
  readonly name: string;
  readonly layer: L;
  readonly inboundNodes: readonly N[];
}

/** A graph by names. */
export interface GraphConfig<L = Serialized, N = NodeConfig> {
  readonly layers: readonly GraphLayer<L, N>[];
  readonly inputLayers: readonly TensorReference[];
  /** A list where the model gives one. */
  readonly outputLayers: TensorReference | readonly TensorReference[];
}

/** The applications that the outputs need in an order in which they can run, and the layers in Keras's order. */
export interface GraphOrder {
  readonly calls: readonly LayerCall[];
  readonly layers: readonly Layer[];
}

/**
 * Keras's order, by which files number layers and optimizers keep their state: by the longest way to an output, longest
 * first, and then as a walk from the outputs meets the layers. Throws E_ARGUMENT where an input is not listed.
 */
export function orderGraph(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): GraphOrder {
  const begins = new Set(inputs.map((x) => x.source));
  const { finished, met } = walk(inputs, outputs);
  const callDepth = new Map<LayerCall, number>();
  const layerDepth = new Map<Layer, number>();
  for (const call of finished.reverse()) {
    // A shared layer is as deep as its deepest application so far.
    const depth = Math.max(callDepth.get(call) ?? 0, layerDepth.get(call.layer) ?? 0);
    callDepth.set(call, depth);
    layerDepth.set(call.layer, depth);
    for (const { source } of begins.has(call) ? [] : call.inputs) {
      callDepth.set(source, Math.max(depth + 1, callDepth.get(source) ?? 0));
    }
  }
  for (const { source } of inputs) {
    // An input that no output needs.
    if (callDepth.has(source)) continue;
    callDepth.set(source, 0);
    layerDepth.set(source.layer, 0);
    met.set(source.layer, -1);
  }
  const byDepth = <T>(depths: ReadonlyMap<T, number>): T[] =>
    [...depths].sort(([, a], [, b]) => b - a).map(([item]) => item);
  const layers = [...layerDepth].sort(([a, m], [b, n]) => n - m || met.get(a)! - met.get(b)!).map(([layer]) => layer);
  return { calls: byDepth(callDepth), layers };
}

/** From the outputs to the inputs: applications after those they need, and when each layer was met first. */
function walk(
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
): { finished: LayerCall[]; met: Map<Layer, number> } {
  // An input of the model ends the way to what it was made from.
  const begins = new Set(inputs.map((x) => x.source));
  const met = new Map<Layer, number>();
  const found = new Set<LayerCall>();
  const finished: LayerCall[] = [];
  const stack: { readonly call: LayerCall; readonly parents: readonly SymbolicTensor[]; next: number }[] = [];
  const enter = (x: SymbolicTensor): void => {
    const call = x.source;
    if (found.has(call)) return;
    if (call.layer instanceof InputLayer && !begins.has(call)) {
      const what = `the outputs depend on the input "${x.name}", which is not among inputs`;
      throw new MillraceError("E_ARGUMENT", `model: ${what}`);
    }
    found.add(call);
    if (!met.has(call.layer)) met.set(call.layer, met.size);
    stack.push({ call, parents: begins.has(call) ? [] : call.inputs, next: 0 });
  };
  for (const output of outputs) {
    enter(output);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const parent = top.parents[top.next++];
      if (parent) enter(parent);
      else {
        finished.push(top.call);
        stack.pop();
      }
    }
  }
  return { finished, met };
}

/** The graph by names. Throws E_UNIMPLEMENTED where it begins at the result of a layer. */
export function graphConfig(
  { calls, layers }: GraphOrder,
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
  givesList: boolean,
): GraphConfig<Layer, GraphNode> {
  const callsOf = new Map<Layer, LayerCall[]>(layers.map((layer) => [layer, []]));
  const nodes = new Map<LayerCall, number>();
  for (const call of calls) {
    const own = callsOf.get(call.layer)!;
    nodes.set(call, own.length);
    own.push(call);
  }
  const reference = (x: SymbolicTensor): TensorReference => [
    x.source.layer.name,
    nodes.get(x.source)!,
    x.source.outputs.indexOf(x),
  ];
  for (const { source, name } of inputs) {
    if (source.layer instanceof InputLayer) continue;
    const what = `the model begins at the result of the layer "${source.layer.name}"; begin it at tf.input`;
    throw new MillraceError("E_UNIMPLEMENTED", `getConfig: ${what}`, { layer: name });
  }
  return {
    layers: layers.map((layer) => ({
      name: layer.name,
      layer,
      inboundNodes: callsOf
        .get(layer)!
        .filter((call) => call.inputs.length > 0)
        .map((call) => ({ inputs: call.inputs.map(reference), isList: call.isList, tensors: call.inputs })),
    })),
    inputLayers: inputs.map(reference),
    outputLayers: givesList ? outputs.map(reference) : reference(outputs[0]!),
  };
}

/** The same with configurations in place of layers. */
export function describeGraph({ layers, ...rest }: GraphConfig<Layer>): GraphConfig {
  const described = layers.map(({ name, layer, inboundNodes }) => ({
    name,
    layer: serialize(layer),
    inboundNodes: inboundNodes.map(({ inputs, isList }) => ({ inputs, isList })),
  }));
  return { ...rest, layers: described };
}

/**
 * The inputs and outputs of a graph that is drawn again. Throws E_FORMAT where a reference leads nowhere or in a circle.
 * @param applied is told of each application before it is made
 */
export function drawGraph(
  config: GraphConfig<Layer>,
  applied: (layer: Layer) => void = () => {},
): { readonly inputs: readonly SymbolicTensor[]; readonly outputs: SymbolicTensor | readonly SymbolicTensor[] } {
  const entries = new Map(config.layers.map((entry) => [entry.name, entry]));
  if (entries.size !== config.layers.length) throw broken("two layers have one name");
  const results = new Map<string, (readonly SymbolicTensor[])[]>(
    config.layers.map(({ name, layer }) => [name, layer instanceof InputLayer ? [[symbolOf(layer)]] : []]),
  );
  const drawn = (name: string, node: number): readonly SymbolicTensor[] | undefined => {
    const entry = entries.get(name);
    if (!entry) throw broken(`there is no layer ${JSON.stringify(name)}`);
    const count = entry.layer instanceof InputLayer ? 1 : entry.inboundNodes.length;
    if (!(Number.isInteger(node) && node >= 0 && node < count)) {
      throw broken(`the layer ${JSON.stringify(name)} has no application ${node}`);
    }
    return results.get(name)![node];
  };
  const tensorOf = ([name, node, tensor]: TensorReference): SymbolicTensor => {
    const found = drawn(name, node)?.[tensor];
    if (found) return found;
    throw broken(`application ${node} of the layer ${JSON.stringify(name)} has no result ${tensor}`);
  };

  // Each waits for the one before it of the same layer, and for what gives its inputs.
  const waiting = new Set<string>();
  const stack: { readonly name: string; readonly index: number; next: number }[] = [];
  const ask = (name: string, index: number): void => {
    const key = `${index} ${name}`;
    if (waiting.has(key)) throw broken(`the layer ${JSON.stringify(name)} needs its own result`);
    waiting.add(key);
    stack.push({ name, index, next: 0 });
  };
  for (const { name, layer, inboundNodes } of config.layers) {
    if (layer instanceof InputLayer) continue;
    inboundNodes.forEach((_, last) => {
      if (results.get(name)!.length > last) return;
      ask(name, last);
      while (stack.length > 0) {
        const top = stack.at(-1)!;
        const { layer: own, inboundNodes: nodes } = entries.get(top.name)!;
        const made = results.get(top.name)!;
        if (made.length < top.index) {
          ask(top.name, made.length);
          continue;
        }
        const node = nodes[top.index]!;
        const needed = node.inputs[top.next];
        if (needed) {
          const [from, number] = needed;
          if (drawn(from, number)) top.next++;
          else ask(from, number);
          continue;
        }
        const xs = node.inputs.map(tensorOf);
        if (xs.length === 0) throw broken(`the layer ${JSON.stringify(top.name)} is applied to nothing`);
        applied(own);
        const result = own.apply(node.isList ? xs : xs[0]!) as SymbolicTensor | readonly SymbolicTensor[];
        made.push(Array.isArray(result) ? result : [result as SymbolicTensor]);
        stack.pop();
      }
      waiting.clear();
    });
  }
  const { outputLayers } = config;
  return {
    inputs: config.inputLayers.map(tensorOf),
    outputs: isReference(outputLayers) ? tensorOf(outputLayers) : outputLayers.map(tensorOf),
  };
}

/** Whether this is one reference, not a list of them. */
export function isReference(it: TensorReference | readonly TensorReference[]): it is TensorReference {
  return typeof it[0] === "string";
}

function broken(what: string): MillraceError {
  return new MillraceError("E_FORMAT", `the graph of the model: ${what}`);
}
