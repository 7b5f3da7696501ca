// A graph as JSON: see read-graph.ts.
import { type Attr, type Attrs, isAttrList } from "../ir/attrs.js";
import type { Aval } from "../ir/aval.js";
import { type Atom, type Dim, SymDim, type Term } from "../ir/dim.js";
import type { Graph, Node, Value } from "../ir/graph.js";
import { bytesOf } from "../ir/host.js";
import type { AnyOp } from "../ir/op.js";
import { remember } from "../ir/remember.js";
import { findOp } from "../ops/table.js";
import { lower } from "../passes/lower.js";
import { type DType, dtypes, type TypedArray } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { AvalJson, GraphJson, Json, NodeJson } from "./artifact.js";
import { namedNumbers } from "./read-attrs.js";
import { plainName } from "./sizes.js";
import type { TensorData } from "./write-safetensors.js";

/** More bytes than these are kept as a tensor beside the weights. */
const largestInline = 1024;

/** Writes graphs, and collects what they name. */
export class GraphWriter {
  readonly ops: Map<string, AnyOp> = new Map();
  /** Data that is too large for JSON, each once. */
  readonly constants: Map<string, TensorData> = new Map();
  private readonly constantNames = new Map<TypedArray, string>();
  private readonly taken: (name: string) => boolean;

  /** @param taken whether a tensor of the file has this name */
  constructor(taken: (name: string) => boolean) {
    this.taken = taken;
  }

  /** A graph at stage "traced"; composites of the engine's own are no ops that a file may name, so they are lowered. */
  write(graph: Graph): GraphJson {
    return this.graph(holdsInternal(graph) ? lower(isInTable).run(graph) : graph);
  }

  private graph(graph: Graph): GraphJson {
    const symbols = new Map<string, readonly [number, number]>();
    const note = (atom: Atom): void => {
      if (atom.kind !== "symbol") return;
      const [low, high] = symbols.get(atom.name) ?? [atom.min, atom.max];
      symbols.set(atom.name, [Math.min(low, atom.min), Math.max(high, atom.max)]);
    };
    const size = (d: Dim): number | string => sizeText(d, note);
    const aval = ({ dtype, shape }: Aval): AvalJson => ({ dtype, shape: shape.map(size) });
    const numbers = new Map<Value | string, number>();
    const ids = new Map<Node, number>();
    const key = (v: Value): Value | string => (v.node ? `${ids.get(v.node)}:${v.index}` : v);
    for (const param of graph.params) numbers.set(param, numbers.size);
    const numberOf = (v: Value): number => numbers.get(key(v))!;
    const params = graph.params.map((p) => aval(p.aval));
    const nodes = graph.nodes.map((node): NodeJson => {
      this.ops.set(node.op.name, node.op);
      ids.set(node, ids.size);
      const inputs = node.inputs.map(numberOf);
      const attrs = this.attrs(node.attrs, size);
      const regions = node.regions.map((region) => this.graph(region));
      node.outs.forEach((_, i) => {
        numbers.set(`${ids.get(node)}:${i}`, numbers.size);
      });
      return {
        op: node.op.name,
        ...(inputs.length > 0 ? { inputs } : {}),
        ...(Object.keys(attrs).length > 0 ? { attrs } : {}),
        ...(regions.length > 0 ? { regions } : {}),
        outputs: node.outs.map(aval),
      };
    });
    const guards = graph.guards.map(({ kind, a, b }) => [kind, size(a), size(b)] as const);
    const bounds = [...symbols].map(([name, [low, high]]) => {
      return [name, [low, high === Number.MAX_SAFE_INTEGER ? null : high]] as const;
    });
    return {
      ...(bounds.length > 0 ? { symbols: Object.fromEntries(bounds) } : {}),
      params,
      nodes,
      results: graph.results.map(numberOf),
      ...(guards.length > 0 ? { guards } : {}),
    };
  }

  private attrs(attrs: Attrs, size: (d: Dim) => number | string): { readonly [name: string]: Json } {
    return Object.fromEntries(Object.entries(attrs).map(([name, attr]) => [name, this.attr(attr, size)]));
  }

  private attr(attr: Attr, size: (d: Dim) => number | string): Json {
    if (typeof attr === "number") {
      const text = numberText(attr);
      return typeof text === "string" ? { number: text } : text;
    }
    if (typeof attr === "bigint") return { bigint: `${attr}` };
    if (typeof attr === "string" || typeof attr === "boolean") return attr;
    if (attr instanceof SymDim) return { size: size(attr) };
    if (isAttrList(attr)) return attr.map((item) => this.attr(item, size));
    return this.array(attr);
  }

  private array(data: TypedArray): Json {
    const array = dtypeOf(data);
    const values = data.byteLength <= largestInline ? valuesOf(data) : undefined;
    return values ? { array, values } : { array, tensor: this.constant(data, array) };
  }

  private constant(data: TypedArray, dtype: DType): string {
    return remember(this.constantNames, data, () => {
      const bytes = bytesOf(data);
      for (const [name, other] of this.constants) {
        if (other.dtype === dtype && sameBytes(other.bytes, bytes)) return name;
      }
      let name = `constants/${this.constants.size}`;
      while (this.taken(name) || this.constants.has(name)) name = `${name}_`;
      this.constants.set(name, { dtype, shape: [data.length], bytes });
      return name;
    });
  }
}

const isInTable = (op: AnyOp): boolean => findOp(op.name) === op;

function holdsInternal(graph: Graph): boolean {
  return graph.nodes.some((node) => {
    const { op } = node;
    if (!isInTable(op) && !op.lower)
      throw new MillraceError("E_VERSION", `${op.name} was defined again since the function was traced: trace it anew`);
    return !isInTable(op) || node.regions.some(holdsInternal);
  });
}

/** A number, or its name where JSON has none for it. */
function numberText(x: number): number | string {
  for (const [name, value] of namedNumbers) if (Object.is(value, x)) return name;
  return x;
}

/** The elements as JSON, or undefined where that would lose bits: those of a NaN. */
function valuesOf(data: TypedArray): Json | undefined {
  const values = Array.from<number | bigint>(data);
  if (data.constructor.name.startsWith("Float") && values.some((x) => Number.isNaN(x)) && !hasPlainNaNs(data))
    return undefined;
  return values.map((x) => (typeof x === "bigint" ? `${x}` : numberText(x)));
}

/** Whether every NaN has the bits that JavaScript writes. */
function hasPlainNaNs(data: TypedArray): boolean {
  const copy = data.slice();
  for (let i = 0; i < copy.length; i++) if (Number.isNaN(copy[i])) copy[i] = Number.NaN;
  return sameBytes(bytesOf(copy), bytesOf(data));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

const arrayDTypes = (Object.keys(dtypes) as DType[]).filter((dtype) => dtype !== "bool");

/** The dtype that a typed array stands for; a Uint8Array is uint8. */
function dtypeOf(data: TypedArray): DType {
  const tag = Object.prototype.toString.call(data).slice(8, -1);
  return arrayDTypes.find((dtype) => dtypes[dtype].arrayType === tag)!;
}

/** A size as `parseSize` reads it. */
function sizeText(d: Dim, note: (atom: Atom) => void): number | string {
  if (typeof d === "number") return d;
  const atomText = (atom: Atom): string => {
    note(atom);
    if (atom.kind === "symbol") return plainName.test(atom.name) ? atom.name : JSON.stringify(atom.name);
    return `${atom.kind}(${sizeText(atom.a, note)},${sizeText(atom.b, note)})`;
  };
  const termText = ({ coefficient, atoms }: Term): string => {
    const factors = atoms.map(atomText);
    return (coefficient === 1 && factors.length > 0 ? factors : [`${coefficient}`, ...factors]).join("*");
  };
  return d.terms.map(termText).join("+");
}
