import type { Attr } from "../ir/attrs.js";
import { isAttrList } from "../ir/attrs.js";
import type { Aval } from "../ir/aval.js";
import { type Dim, SymDim, symbolsOf } from "../ir/dim.js";
import type { Graph, Node, Value } from "../ir/graph.js";
import { bytesOf } from "../ir/host.js";
import type { TypedArray } from "../types/dtype.js";
import { emitLoops } from "./emit-loops.js";
import { ExprTable } from "./exprs.js";
import { isAlias } from "./kinds.js";
import type { Program, ProgramAttr, ProgramAttrs, ProgramRecord, Region, Slot } from "./program.js";

/** How a backend wants its programs. */
export interface ScheduleOptions {
  /** Whether elementwise ops, index maps and reductions become loop kernels; else each op is a record of its own. */
  readonly fusion: boolean;
  /** Told of each record, in order, with the nodes that it computes: for whoever draws programs. */
  readonly onRecord?: (record: ProgramRecord, nodes: readonly Node[]) => void;
}

/** Turns a lowered graph into a program. `symbols` fixes the order in which `bind` gets their values. */
export function schedule(graph: Graph, symbols: readonly string[], options: ScheduleOptions): Program {
  const shared = { exprs: new ExprTable(symbols), constants: [] as Uint8Array[], options };
  const root = new RegionScheduler(shared).run(graph);
  const guards = allGuards(graph).map((g) => ({ kind: g.kind, lhs: shared.exprs.of(g.a), rhs: shared.exprs.of(g.b) }));
  return { symbols, exprs: shared.exprs.exprs, guards, constants: shared.constants, root };
}

function allGuards(graph: Graph): Graph["guards"] {
  const guards = [...graph.guards];
  for (const node of graph.nodes) for (const region of node.regions) guards.push(...allGuards(region));
  return guards;
}

/** The symbols of a graph's parameters, guards and attributes, in order of appearance. */
export function symbolsOfGraph(graph: Graph, into: Set<string> = new Set()): Set<string> {
  const ofAval = (a: Aval): void => {
    for (const d of a.shape) if (typeof d !== "number") symbolsOf(d, into);
  };
  const ofAttr = (a: Attr): void => {
    if (a instanceof SymDim) symbolsOf(a, into);
    else if (typeof a === "object" && isAttrList(a)) for (const one of a) if (typeof one !== "number") ofAttr(one);
  };
  for (const p of graph.params) ofAval(p.aval);
  for (const node of graph.nodes) {
    for (const name in node.attrs) ofAttr(node.attrs[name]!);
    for (const out of node.outs) ofAval(out);
    for (const region of node.regions) symbolsOfGraph(region, into);
  }
  return into;
}

/** What the regions of one program share. */
export interface SharedTables {
  readonly exprs: ExprTable;
  readonly constants: Uint8Array[];
  readonly options: ScheduleOptions;
}

/** Schedules one graph: slots for its values, records for its nodes. */
export class RegionScheduler {
  private readonly slots: Slot[] = [];
  private readonly slotByValue = new Map<Value, number>();
  private readonly outputs = new Map<Node, readonly number[]>();
  readonly records: ProgramRecord[] = [];
  readonly shared: SharedTables;

  constructor(shared: SharedTables) {
    this.shared = shared;
  }

  run(graph: Graph): Region {
    for (const p of graph.params) this.slotByValue.set(p, this.newSlot(p.aval));
    if (this.shared.options.fusion) emitLoops(this, graph);
    else for (const node of graph.nodes) this.record(node);
    const results = graph.results.map((v) => this.slotOf(v));
    return { slots: this.slots, params: graph.params.length, results, records: this.records };
  }

  newSlot(aval: Aval): number {
    this.slots.push({ dtype: aval.dtype, dims: aval.shape.map((d) => this.shared.exprs.of(d)) });
    return this.slots.length - 1;
  }

  slotOf(value: Value): number {
    const slot = value.node ? this.outputs.get(value.node)?.[value.index] : this.slotByValue.get(value);
    if (slot === undefined) throw new TypeError("schedule: a value is used before it has a slot");
    return slot;
  }

  /** Gives a node's outputs their slots. */
  define(node: Node): readonly number[] {
    const slots = node.outs.map((aval) => this.newSlot(aval));
    this.outputs.set(node, slots);
    return slots;
  }

  /** Adds a record, which computes these nodes. */
  add(record: ProgramRecord, nodes: readonly Node[]): void {
    this.records.push(record);
    this.shared.options.onRecord?.(record, nodes);
  }

  /** One record for one node. */
  record(node: Node): void {
    const { op } = node;
    const data = node.outs.length === 1 && op.name === "constant" ? (node.attrs.data as TypedArray) : undefined;
    if (data) this.constant(node, data);
    else if (isAlias(node)) this.alias(node, node.inputs[0]!, this.define(node)[0]!);
    else if (op.name === "optimizationBarrier") {
      const outs = this.define(node);
      for (const [i, v] of node.inputs.entries()) this.alias(node, v, outs[i]!);
    } else this.library(node);
  }

  private constant(node: Node, data: TypedArray): void {
    this.shared.constants.push(bytesOf(data));
    const constant = this.shared.constants.length - 1;
    this.add({ kind: "constant", slot: this.define(node)[0]!, constant }, [node]);
  }

  private alias(node: Node, from: Value, to: number): void {
    this.add({ kind: "alias", from: this.slotOf(from), to }, [node]);
  }

  private library(node: Node): void {
    const { op } = node;
    const ins = node.inputs.map((v) => this.slotOf(v));
    const regions = node.regions.map((g) => new RegionScheduler(this.shared).run(g));
    const outs = this.define(node);
    const { name, version } = op;
    this.add({ kind: "library", op: name, version, ins, outs, attrs: this.attrs(node), regions }, [node]);
  }

  private attrs(node: Node): ProgramAttrs {
    return new Map(Object.entries(node.attrs).map(([name, value]) => [name, this.attr(value)]));
  }

  private attr(value: Attr): ProgramAttr {
    if (value instanceof SymDim) return { expr: this.shared.exprs.of(value) };
    if (typeof value === "bigint") return Number(value);
    if (typeof value !== "object") return value;
    return isAttrList(value) ? value.map((v) => this.attr(v)) : { bytes: bytesOf(value) };
  }

  /** The number of the expression for a size. */
  size(dim: Dim): number {
    return this.shared.exprs.of(dim);
  }
}
