// From a traced graph with weights to one that holds the ops that TFLite has operators for: composites that it has not are
// decomposed, and what depends on weights alone is computed.
import {
  type AnyOp,
  type Attrs,
  broadcastInDimOp,
  constantOp,
  countOf,
  type Graph,
  GraphBuilder,
  type HostArray,
  hostArray,
  isStatic,
  makeOps,
  type NamedFunction,
  type Node,
  reshapeOp,
  type Value,
} from "@millrace/core/graph";
import { decompositions, isClaimed } from "./decompositions.js";
import { simplify } from "./simplify.js";

/** A graph to be lowered: parameters are the inputs, then whatever is known. */
export interface Prepared {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly { readonly name: string; readonly value: Value }[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  /** The content of weights and constants, and of what was computed from them. */
  readonly known: ReadonlyMap<Value, HostArray>;
  /** What weights are called, and what rules make of them. */
  readonly names: Map<HostArray, string>;
  /** The layer that a node comes from. */
  readonly layers: ReadonlyMap<Node, string>;
}

/** What is computed from constants may have so many elements, or as many as the largest of its operands. */
const largestFold = 1 << 16;

/** Reads the weights of a function and prepares its graph. */
export async function prepare(f: NamedFunction, contents: Map<unknown, HostArray>): Promise<Prepared> {
  const weights: HostArray[] = [];
  for (const { value } of f.weights) {
    let content = contents.get(value);
    if (!content) {
      content = { dtype: value.dtype, shape: value.shape, data: await value.data() };
      contents.set(value, content);
    }
    weights.push(content);
  }
  return new Preparation(f, weights).run();
}

class Preparation {
  private readonly builder = new GraphBuilder();
  private readonly known = new Map<Value, HostArray>();
  private readonly names = new Map<HostArray, string>();
  private readonly layers = new Map<Node, string>();
  private readonly scalars = new Map<string, Value>();
  private readonly f: NamedFunction;
  private readonly weights: readonly HostArray[];
  private layer = "";

  constructor(f: NamedFunction, weights: readonly HostArray[]) {
    this.f = f;
    this.weights = weights;
  }

  run(): Prepared {
    const { f } = this;
    const { params, nodes, results } = f.graph;
    const values = new Map<Value, Value>();
    params.forEach((param, i) => {
      const weight = this.weights[i - f.inputs.length];
      values.set(param, weight ? this.constant(weight) : this.builder.param(param.aval));
      if (weight) this.names.set(weight, f.weights[i - f.inputs.length]!.name);
    });
    const made = new Map<Node, readonly Value[]>();
    const read = (v: Value): Value => (v.node ? made.get(v.node)![v.index]! : values.get(v)!);
    const layerOf = layersOf(f);
    for (const node of nodes) {
      this.layer = layerOf.get(node) ?? "";
      made.set(node, this.apply(node.op, node.inputs.map(read), node.attrs, node.regions));
    }
    const outputs = results.map((value, i) => ({ name: f.outputs[i]!, value: read(value) }));
    const inputs = f.inputs.map((name, i) => ({ name, value: values.get(params[i]!)! }));
    const graph = this.builder.finish(outputs.map((o) => o.value));
    const { known, names, layers } = this;
    return { name: f.name, graph, inputs, outputs, known, names, layers };
  }

  private apply(op: AnyOp, ins: readonly Value[], attrs: Attrs, regions: readonly Graph[]): readonly Value[] {
    // boundary: a constant's attributes are its content
    if (op === constantOp) return [this.constant(attrs as HostArray & Attrs)];
    const contents = ins.map((v) => this.contentOf(v));
    const folds = regions.length === 0 && !op.effect && op.kind !== "random" && contents.every((c) => c !== undefined);
    const lower = decompositions[op.name] ?? op.lower;
    if (lower && (folds || !isClaimed(op.name, ins[0]!.aval.dtype))) {
      const b = makeOps<Value>((inner, args, innerAttrs, innerRegions) =>
        this.apply(inner, args, innerAttrs, innerRegions),
      );
      // boundary: b is over Values, so what a decomposition makes of them are Values
      return lower(b, ins, attrs, regions) as readonly Value[];
    }
    const folded = folds ? this.fold(op, contents, attrs) : undefined;
    if (folded) return folded.map((host) => this.constant(host));
    const simple = simplify(op, ins, attrs, (inner, args, innerAttrs) => this.apply(inner, args, innerAttrs, [])[0]!);
    if (simple) return [simple];
    const outs = this.builder.apply(op, ins, attrs, regions);
    const { node } = outs[0] ?? {};
    if (node && !this.layers.has(node)) this.layers.set(node, this.layer);
    return outs;
  }

  /** A value that is known: a parameter of the new graph. */
  private constant(host: HostArray): Value {
    const key =
      host.data.length === 1
        ? `${host.dtype}[${host.shape}]${Object.is(host.data[0], -0) ? "-0" : host.data[0]}`
        : undefined;
    const seen = key === undefined ? undefined : this.scalars.get(key);
    if (seen) return seen;
    const value = this.builder.param({ dtype: host.dtype, shape: host.shape });
    this.known.set(value, host);
    if (key !== undefined) this.scalars.set(key, value);
    return value;
  }

  /** What a value is, if that is known; a constant that is stretched to known sizes too. */
  private contentOf(value: Value): HostArray | undefined {
    const known = this.known.get(value);
    if (known || value.node?.op !== broadcastInDimOp) return known;
    const content = this.known.get(value.node.inputs[0]!);
    const { shape } = value.aval;
    if (!content || !isStatic(shape) || countOf(shape) > largestFold) return undefined;
    const stretched = hostArray(content.dtype, shape);
    const { op, attrs }: Node = value.node;
    op.reference!([content], attrs, [stretched]);
    return stretched;
  }

  private fold(op: AnyOp, contents: readonly (HostArray | undefined)[], attrs: Attrs): HostArray[] | undefined {
    if (!op.reference) return undefined;
    const operands = contents as readonly HostArray[]; // all are there: the caller has looked
    const avals = op.infer(operands, attrs, []);
    const largest = Math.max(largestFold, ...operands.map((o) => o.data.length));
    const fits = avals.every(({ shape }) => isStatic(shape) && countOf(shape) <= largest);
    // A stretched constant stays as it is: operators stretch their operands themselves.
    if (!fits || (op === broadcastInDimOp && countOf(avals[0]!.shape.map(Number)) !== operands[0]!.data.length)) {
      return undefined;
    }
    if (op === reshapeOp) return [{ ...operands[0]!, shape: avals[0]!.shape.map(Number) }];
    const outs = avals.map(({ dtype, shape }) => hostArray(dtype, shape.map(Number)));
    op.reference(operands, attrs, outs);
    return outs;
  }
}

/** The layer of each node: what its function says, else that of the weights that it uses. */
function layersOf(f: NamedFunction): ReadonlyMap<Node, string> {
  if (f.layers) return f.layers;
  const layers = new Map<Node, string>();
  const ofWeight = new Map<Value, string>();
  f.weights.forEach(({ name }, i) => {
    const end = name.lastIndexOf("/");
    if (end > 0) ofWeight.set(f.graph.params[f.inputs.length + i]!, name.slice(0, end));
  });
  for (const node of f.graph.nodes) {
    const named = node.inputs.map((v) => ofWeight.get(v)).find((layer) => layer !== undefined);
    const inherited = node.inputs.map((v) => v.node && layers.get(v.node)).find((layer) => layer);
    const layer = named ?? inherited;
    if (layer) layers.set(node, layer);
  }
  return layers;
}

/** The bytes of what a constant holds. */
export function contentBytes({ data }: HostArray): Uint8Array {
  // boundary: tensor memory is never shared with another thread, so its buffer is an ArrayBuffer
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
