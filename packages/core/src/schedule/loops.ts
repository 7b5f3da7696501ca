// Loop formation: elementwise chains, the index maps between them and the reductions after them become loop kernels.
import { formatShape } from "../ir/aval.js";
import { type Dim, dimKey } from "../ir/dim.js";
import type { Graph, Node, Value } from "../ir/graph.js";
import { bytesOf } from "../ir/host.js";
import { isElementwise } from "../ir/op.js";
import type { TypedArray } from "../types/dtype.js";
import type { Instruction, Load, Store } from "./program.js";
import type { RegionScheduler } from "./schedule.js";
import { isIdentity, resolveView, stridesOfView, type View } from "./views.js";

/** Values that one loop may hold: more would not stay in the fastest cache. */
const maxNodes = 48;

/** One loop while it is being formed: nodes over one iteration space. */
interface Loop {
  /** Its place in the order of execution: what it depends on comes before it. */
  readonly order: number;
  readonly shape: readonly Dim[];
  readonly nodes: Node[];
  /** The axes that its reductions fold; a loop folds one set of axes. */
  axes: string | undefined;
}

/** A node of its own, or a loop. */
type Unit = { readonly order: number; readonly node: Node } | Loop;

/** Schedules the nodes of a graph: those that can, in loops. */
export function formLoops(scheduler: RegionScheduler, graph: Graph): void {
  new LoopFormer(scheduler, graph).run();
}

const isLoop = (unit: Unit): unit is Loop => "nodes" in unit;
const isReduction = (node: Node): boolean => node.op.kind === "reduce" && node.op.name.startsWith("reduce");
/** What nobody reads, as an effect may be, is no view. */
const isView = (node: Node): boolean => {
  const value = outputs.get(node);
  return value !== undefined && resolveView(value).root.node !== node;
};
const isScalarConstant = (node: Node | null): node is Node =>
  node?.op.name === "constant" && (node.attrs.data as TypedArray).length === 1;

const outputs = new WeakMap<Node, Value>();
/** The first output of a node, as its consumers hold it. */
function valueOf(node: Node): Value {
  return outputs.get(node)!;
}

/**
 * Assigns every node to a unit. Units are numbered in the order in which they will run, and a node joins a loop only if
 * everything it depends on outside of the loop has a lower number, so that the order never has a cycle.
 */
class LoopFormer {
  private readonly units: Unit[] = [];
  private readonly unitOf = new Map<Node, Unit>();
  /** Loops by iteration space, the latest last. */
  private readonly loops = new Map<string, Loop[]>();
  /** Values that need memory: somebody reads them who is not in their loop. */
  private readonly stored = new Set<Value>();
  private readonly scheduler: RegionScheduler;
  private readonly graph: Graph;

  constructor(scheduler: RegionScheduler, graph: Graph) {
    this.scheduler = scheduler;
    this.graph = graph;
  }

  run(): void {
    for (const node of this.graph.nodes)
      for (const v of node.inputs) if (v.node && v.index === 0) outputs.set(v.node, v);
    for (const v of this.graph.results) if (v.node && v.index === 0) outputs.set(v.node, v);
    for (const node of executionOrder(this.graph)) this.place(node);
    for (const v of this.graph.results) this.needs(v);
    this.emit();
  }

  private place(node: Node): void {
    if (!outputs.has(node) && node.outs.length === 1 && !node.effect) return; // nobody reads it
    if (node.op.name === "constant" || (node.outs.length === 1 && isView(node))) return; // made where it is used
    if (isElementwise(node.op) || node.op.name === "iota") this.join(node, node.outs[0]!.shape);
    else if (isReduction(node)) this.join(node, node.inputs[0]!.aval.shape);
    else {
      for (const v of node.inputs) this.needs(v);
      this.addUnit(node, { order: this.units.length, node });
    }
  }

  private addUnit(node: Node, unit: Unit): void {
    if (!this.unitOf.has(node)) this.unitOf.set(node, unit);
    if (this.units[unit.order] !== unit) this.units.push(unit);
  }

  /** Puts a node into the latest loop over its iteration space that it may join, or into a new one. */
  private join(node: Node, shape: readonly Dim[]): void {
    const views = node.inputs.map(resolveView);
    const axes = isReduction(node) ? String(node.attrs.axes) : undefined;
    const key = formatShape(shape);
    const candidate = this.loops.get(key)?.at(-1);
    const joined =
      candidate && this.mayJoin(candidate, views, shape.length, axes) ? candidate : this.newLoop(key, shape);
    joined.nodes.push(node);
    joined.axes ??= axes;
    this.unitOf.set(node, joined);
    for (const view of views) {
      const inside = view.root.node && this.unitOf.get(view.root.node) === joined;
      if (!inside) this.needsRoot(view.root);
    }
  }

  private newLoop(key: string, shape: readonly Dim[]): Loop {
    const loop: Loop = { order: this.units.length, shape, nodes: [], axes: undefined };
    this.units.push(loop);
    const list = this.loops.get(key);
    if (list) list.push(loop);
    else this.loops.set(key, [loop]);
    return loop;
  }

  private mayJoin(loop: Loop, views: readonly View[], rank: number, axes: string | undefined): boolean {
    if (loop.nodes.length >= maxNodes) return false;
    if (axes !== undefined && loop.axes !== undefined && axes !== loop.axes) return false;
    return views.every((view) => {
      const unit = this.unitBehind(view.root);
      if (!unit) return true;
      if (unit !== loop) return unit.order < loop.order;
      // A value of the loop itself is at hand at its own index only, and a reduction's result only after the loop.
      return isIdentity(view, rank) && view.root.node !== null && !isReduction(view.root.node);
    });
  }

  /** The unit that must have run before a value can be read; undefined for parameters and constants. */
  private unitBehind(value: Value): Unit | undefined {
    let { node } = value;
    while (node && !this.unitOf.has(node)) node = node.inputs[0]?.node ?? null;
    return node ? this.unitOf.get(node) : undefined;
  }

  /** A value is read from memory. */
  private needs(value: Value): void {
    const { node } = value;
    if (node && node.outs.length === 1 && isView(node) && !isAlias(node)) this.materialise(node);
    else this.needsRoot(value);
  }

  private needsRoot(value: Value): void {
    this.stored.add(value);
    // An alias has the memory of what it renames.
    if (value.node && isAlias(value.node)) this.needs(value.node.inputs[0]!);
  }

  /** Copies a view into memory, by a loop of its own or of its iteration space. */
  private materialise(node: Node): void {
    if (!this.unitOf.has(node)) {
      const view = resolveView(valueOf(node));
      const key = formatShape(node.outs[0]!.shape);
      const loop = this.newLoop(key, node.outs[0]!.shape);
      loop.nodes.push(node);
      this.unitOf.set(node, loop);
      if (!isScalarConstant(view.root.node)) this.needsRoot(view.root);
    }
    this.stored.add(valueOf(node));
  }

  private emit(): void {
    const emitted = new Set<Node>();
    for (const unit of this.units) {
      if (isLoop(unit)) this.emitLoop(unit, emitted);
      else {
        for (const v of unit.node.inputs) this.emitMemory(v, emitted);
        this.scheduler.record(unit.node);
        emitted.add(unit.node);
      }
    }
    for (const v of this.graph.results) this.emitMemory(v, emitted);
  }

  /** Makes sure that a value without a unit, a constant or an alias, has its record before it is read. */
  private emitMemory(value: Value, emitted: Set<Node>): void {
    const { node } = value;
    if (!node || emitted.has(node) || this.unitOf.has(node)) return;
    for (const v of node.inputs) this.emitMemory(v, emitted);
    this.scheduler.record(node);
    emitted.add(node);
  }

  private emitLoop(loop: Loop, emitted: Set<Node>): void {
    const body = new LoopBody(this.scheduler, loop.shape);
    const inside = new Set(loop.nodes);
    const read = (value: Value): number => {
      const view = resolveView(value);
      const { node } = view.root;
      if (isScalarConstant(node)) return body.constant(node);
      if (node && inside.has(node) && !isReduction(node)) return body.result(node);
      this.emitMemory(view.root, emitted);
      return body.load(view);
    };
    for (const node of loop.nodes) {
      if (isReduction(node)) body.reduce(node, read(node.inputs[0]!));
      else if (isView(node)) body.rename(node, readView(node, read));
      else if (node.op.name === "iota") body.iota(node);
      else body.apply(node, node.inputs.map(read));
    }
    for (const node of loop.nodes) {
      emitted.add(node);
      if (!isReduction(node) && this.stored.has(valueOf(node))) body.store(node);
    }
    this.scheduler.records.push(body.record());
  }
}

/** A view that is copied reads what it looks at. */
function readView(node: Node, read: (value: Value) => number): number {
  return read(valueOf(node));
}

/** Whether a node's output has the bytes of its input: a reshape that no index map expresses, a bitcast. */
function isAlias(node: Node): boolean {
  return (
    node.op.name === "reshape" ||
    node.op.name === "bitcast" ||
    node.op.name === "identity" ||
    node.op.name === "stopGradient"
  );
}

/** The instructions of one loop. */
class LoopBody {
  private readonly loads: Load[] = [];
  private readonly loadNumbers = new Map<string, number>();
  private readonly instructions: { readonly instruction: Instruction; readonly number: number }[] = [];
  private readonly numbers = new Map<Node, number>();
  private readonly constants = new Map<Node, number>();
  private readonly stores: Store[] = [];
  private readonly scheduler: RegionScheduler;
  private readonly shape: readonly Dim[];

  constructor(scheduler: RegionScheduler, shape: readonly Dim[]) {
    this.scheduler = scheduler;
    this.shape = shape;
  }

  // Loads are numbered from 0, instructions from −1 downwards until the number of loads is known.
  load(view: View): number {
    const { offset, strides } = stridesOfView(view, this.shape.length);
    const slot = this.scheduler.slotOf(view.root);
    const key = `${slot} ${dimKey(offset)} ${strides.map(dimKey).join()}`;
    const seen = this.loadNumbers.get(key);
    if (seen !== undefined) return seen;
    const size = (d: Dim): number => this.scheduler.size(d);
    const number = this.loads.push({ slot, offset: size(offset), strides: strides.map(size) }) - 1;
    this.loadNumbers.set(key, number);
    return number;
  }

  private push(instruction: Instruction): number {
    const number = -1 - this.instructions.length;
    this.instructions.push({ instruction, number });
    return number;
  }

  constant(node: Node): number {
    let number = this.constants.get(node);
    if (number === undefined) {
      const bytes = new Uint8Array(8);
      bytes.set(bytesOf(node.attrs.data as TypedArray));
      const immediate = new DataView(bytes.buffer).getBigUint64(0, true);
      number = this.push({ op: "constant", dtype: node.outs[0]!.dtype, args: [], immediate });
      this.constants.set(node, number);
    }
    return number;
  }

  iota(node: Node): void {
    const immediate = BigInt(Number(node.attrs.axis));
    this.numbers.set(node, this.push({ op: "iota", dtype: node.outs[0]!.dtype, args: [], immediate }));
  }

  apply(node: Node, args: readonly number[]): void {
    this.numbers.set(node, this.push({ op: node.op.name, dtype: node.outs[0]!.dtype, args, immediate: 0n }));
  }

  rename(node: Node, number: number): void {
    this.numbers.set(node, number);
  }

  result(node: Node): number {
    return this.numbers.get(node)!;
  }

  store(node: Node): void {
    this.stores.push({ slot: this.scheduler.define(node)[0]!, value: this.numbers.get(node)! });
  }

  reduce(node: Node, value: number): void {
    const mask = (node.attrs.axes as readonly number[]).reduce((m, axis) => m | (1 << axis), 0);
    this.stores.push({ slot: this.scheduler.define(node)[0]!, value, reduce: { op: node.op.name, mask } });
  }

  record(): { kind: "loop"; extents: number[]; loads: Load[]; instructions: Instruction[]; stores: Store[] } {
    const final = (n: number): number => (n >= 0 ? n : this.loads.length - 1 - n);
    return {
      kind: "loop",
      extents: this.shape.map((d) => this.scheduler.size(d)),
      loads: this.loads,
      instructions: this.instructions.map(({ instruction: i }) => ({ ...i, args: i.args.map(final) })),
      stores: this.stores.map((s) => ({ ...s, value: final(s.value) })),
    };
  }
}

/**
 * The order in which nodes are placed: a node waits for its first reader, so that what depends on parameters alone meets
 * the loop that reads it, while scalars come as early as they can, so that nothing waits for them.
 */
function executionOrder(graph: Graph): Node[] {
  const level = new Map<Node, number>();
  let lastEffect = 0;
  for (const node of graph.nodes) {
    const before = node.inputs.map((v) => (v.node ? level.get(v.node)! + (isFusible(v.node) ? 0 : 1) : 0));
    const own = Math.max(node.effect ? lastEffect : 0, ...before);
    level.set(node, own);
    if (node.effect) lastEffect = own;
  }
  const rank = new Map<Node, number>();
  const firstReader = new Map<Node, number>();
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    const waits = isFusible(node) && node.outs[0]!.shape.length > 0;
    const own = waits ? (firstReader.get(node) ?? level.get(node)!) : level.get(node)!;
    rank.set(node, own);
    for (const { node: source } of node.inputs) {
      if (source) firstReader.set(source, Math.min(firstReader.get(source) ?? Number.POSITIVE_INFINITY, own));
    }
  }
  const index = new Map(graph.nodes.map((node, i) => [node, i]));
  return [...graph.nodes].sort((a, b) => rank.get(a)! - rank.get(b)! || index.get(a)! - index.get(b)!);
}

function isFusible(node: Node): boolean {
  return (
    isElementwise(node.op) ||
    isReduction(node) ||
    node.op.kind === "constant" ||
    node.op.kind === "shape" ||
    node.op.name === "iota"
  );
}
