// Loop formation: elementwise chains, the index maps between them and the reductions after them are put into loops.
import { formatShape } from "../ir/aval.js";
import type { Dim } from "../ir/dim.js";
import type { Graph, Node, Value } from "../ir/graph.js";
import { dtypes } from "../types/dtype.js";
import { isAlias, isPointwise, isReduction, isScalarConstant } from "./kinds.js";
import { placingOrder } from "./order.js";
import { isIdentity, isView, resolveView, type View } from "./views.js";

/** Values that one loop may hold: more would not stay in the fastest cache. */
const maxNodes = 48;
/** Loops over one space that a node looks at, the latest first. */
const recent = 8;
/** Loops over so few elements are one loop even if they have nothing in common: starting one costs more. */
const few = 4096;

/** One loop while it is being formed: nodes over one iteration space. */
export interface Loop {
  /** Its place in the order of execution: what it depends on comes before it. */
  readonly order: number;
  readonly shape: readonly Dim[];
  readonly nodes: Node[];
  /** What it reads element by element. */
  readonly reads: Set<Value>;
  /** The axes that its reductions fold; a loop folds one set of axes. */
  axes: string | undefined;
}

/** A node of its own, or a loop. */
export type Unit = { readonly order: number; readonly node: Node } | Loop;

/** Nodes that are computed together, and what they read from outside. */
interface Group {
  readonly nodes: ReadonlySet<Node>;
  readonly reads: readonly View[];
}

export const isLoop = (unit: Unit): unit is Loop => "nodes" in unit;

/** Every node of a graph that runs has a unit; what is read from memory is stored. */
export interface Formed {
  /** Numbered so that what a unit depends on has a lower number. */
  readonly units: readonly Unit[];
  readonly unitOf: ReadonlyMap<Node, Unit>;
  readonly stored: ReadonlySet<Value>;
  readonly results: ReadonlySet<Value>;
  /** The first output of a node, as its readers hold it. */
  readonly outputs: ReadonlyMap<Node, Value>;
}

/** Gives the nodes of a graph to units. */
export function formLoops(graph: Graph): Formed {
  const former = new LoopFormer(graph);
  former.run();
  return former;
}

/**
 * Assigns every node to a unit. Elementwise nodes
 * wait until somebody needs them, and then join a loop that reads or computes what they read, if everything they depend on
 * outside of it has a lower number: so the order never has a cycle.
 */
class LoopFormer implements Formed {
  readonly units: Unit[] = [];
  readonly unitOf: Map<Node, Unit> = new Map();
  /** Loops by iteration space, the latest last. */
  private readonly loops = new Map<string, Loop[]>();
  /** Values that need memory: somebody reads them who is not in their loop. */
  readonly stored: Set<Value> = new Set();
  readonly results: Set<Value> = new Set();
  private readonly numbers = new Map<Node, number>();
  readonly outputs: Map<Node, Value> = new Map();
  /** How many nodes read a value. */
  private readonly readers = new Map<Value, number>();
  private readonly freedBy = new Map<Node, number>();
  private readonly chains = new Map<Node, number>();
  private readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  run(): void {
    const { nodes, results } = this.graph;
    nodes.forEach((node, i) => {
      this.numbers.set(node, i);
      for (const v of node.inputs) {
        if (v.node && v.index === 0) this.outputs.set(v.node, v);
        this.readers.set(v, (this.readers.get(v) ?? 0) + 1);
      }
    });
    for (const v of results) {
      if (v.node && v.index === 0) this.outputs.set(v.node, v);
    }
    for (const v of results) this.results.add(behindAliases(v));
    for (const node of placingOrder(this.graph)) this.place(node);
    for (const v of results) this.needs(v);
  }

  private valueOf(node: Node): Value {
    return this.outputs.get(node)!;
  }

  /** What nobody reads, as an effect may be, is no view. */
  private isView(node: Node): boolean {
    const value = this.outputs.get(node);
    return value !== undefined && isView(value);
  }

  private place(node: Node): void {
    if (this.unitOf.has(node)) return;
    if (!this.outputs.has(node) && node.outs.length === 1 && !node.effect) return; // nobody reads it
    if (node.op.name === "constant" || this.isView(node)) return; // made where it is used
    if (isPointwise(node)) {
      const value = this.valueOf(node);
      const isWanted = node.outs[0]!.shape.length === 0 || this.results.has(value);
      // Others wait for a reader, if the chain of those that wait is no longer than a loop.
      if (isWanted || this.freed(node) > roughBytes(value) || this.chain(node) >= maxNodes) this.join(node);
    } else if (isReduction(node)) this.join(node);
    else {
      for (const v of node.inputs) this.needs(v);
      this.unitOf.set(node, this.units[this.units.push({ order: this.units.length, node }) - 1]!);
    }
  }

  /** Bytes that nobody else will read once a node has run, with those that wait for it. */
  private freed(node: Node): number {
    let bytes = 0;
    for (const { root } of node.inputs.map(resolveView)) {
      if (!root.node || this.readers.get(root) !== 1) continue;
      bytes += this.waits(root.node) ? this.freedBy.get(root.node)! : this.unitBehind(root) ? roughBytes(root) : 0;
    }
    this.freedBy.set(node, bytes);
    return bytes;
  }

  /** How many nodes that wait stand one behind the other, up to this one. */
  private chain(node: Node): number {
    let longest = 0;
    for (const { root } of node.inputs.map(resolveView)) {
      let source = root.node;
      while (source && isAlias(source)) source = source.inputs[0]!.node;
      if (source && this.waits(source)) longest = Math.max(longest, this.chains.get(source)!);
    }
    this.chains.set(node, longest + 1);
    return longest + 1;
  }

  /** Puts a node, and what waits for it, into a loop over its iteration space. */
  private join(node: Node): void {
    const { shape } = isReduction(node) ? node.inputs[0]!.aval : node.outs[0]!;
    let group = this.gather(node, shape);
    if (this.hoist(group, node, shape)) group = this.gather(node, shape);
    const axes = isReduction(node) ? String(node.attrs.axes) : undefined;
    this.add(this.choose(shape, group, axes), group, axes);
  }

  private add(loop: Loop, { nodes, reads }: Group, axes?: string): void {
    for (const node of [...nodes].sort((a, b) => this.numbers.get(a)! - this.numbers.get(b)!)) {
      loop.nodes.push(node);
      this.unitOf.set(node, loop);
    }
    loop.axes ??= axes;
    for (const view of reads) {
      if (this.unitBehind(view.root) !== loop) this.stored.add(view.root);
      if (isIdentity(view, loop.shape)) loop.reads.add(view.root);
    }
  }

  /** Whether a node is elementwise and still without a loop. */
  private waits(node: Node | null): boolean {
    return node !== null && isPointwise(node) && !this.unitOf.has(node);
  }

  /** A node with all that waits and that it reads element by element. Whatever else it reads has a unit after this. */
  private gather(node: Node, space: readonly Dim[]): Group {
    for (;;) {
      const nodes = new Set([node]);
      const reads: View[] = [];
      const units = this.unitOf.size;
      // Those that are added on the way are visited too.
      for (const member of nodes) {
        for (const view of member.inputs.map(resolveView)) {
          const source = view.root.node;
          if (isScalarConstant(source)) continue;
          const together = source && this.waits(source) && isIdentity(view, space);
          if (together && (nodes.has(source) || nodes.size < maxNodes)) nodes.add(source);
          else {
            this.prepare(view.root);
            reads.push(view);
          }
        }
      }
      // What was prepared may have taken members of the group.
      if (this.unitOf.size === units) return { nodes, reads };
    }
  }

  /** Gives a unit to what must run before a value can be read. */
  private prepare(value: Value): void {
    const { node } = value;
    if (!node) return;
    if (this.waits(node)) this.join(node);
    else if (isAlias(node)) this.needs(node.inputs[0]!);
  }

  private choose(shape: readonly Dim[], { nodes, reads }: Group, axes: string | undefined): Loop {
    const small = isFew(shape);
    const loops = this.loopsOver(shape);
    for (let i = loops.length - 1; i >= Math.max(0, loops.length - recent); i--) {
      const loop = loops[i]!;
      if (loop.nodes.length + nodes.size > maxNodes) continue;
      if (axes !== undefined && loop.axes !== undefined && axes !== loop.axes) continue;
      const related =
        small ||
        reads.some((v) => isIdentity(v, shape) && (loop.reads.has(v.root) || this.unitBehind(v.root) === loop));
      if (related && this.mayRead(loop, reads)) return loop;
    }
    return this.newLoop(shape);
  }

  private loopsOver(shape: readonly Dim[]): Loop[] {
    const key = formatShape(shape);
    const known = this.loops.get(key);
    if (known) return known;
    const made: Loop[] = [];
    this.loops.set(key, made);
    return made;
  }

  private newLoop(shape: readonly Dim[]): Loop {
    const loop: Loop = { order: this.units.length, shape, nodes: [], reads: new Set(), axes: undefined };
    this.units.push(loop);
    this.loopsOver(shape).push(loop);
    return loop;
  }

  /** Whether a loop comes after all that is read, or has it at hand. */
  private mayRead(loop: Loop, reads: readonly View[]): boolean {
    return reads.every((view) => {
      const unit = this.unitBehind(view.root);
      if (!unit) return true;
      return unit === loop ? this.isAtHand(view, loop) : unit.order < loop.order;
    });
  }

  /** A value of the loop itself is at hand at its own index only, and a reduction's result only after the loop. */
  private isAtHand(view: View, loop: Loop): boolean {
    const { node } = view.root;
    return isIdentity(view, loop.shape) && node !== null && this.unitOf.get(node) === loop && !isReduction(node);
  }

  /** The unit that must have run before a value can be read; undefined for parameters and constants. */
  private unitBehind(value: Value): Unit | undefined {
    let { node } = value;
    while (node && !this.unitOf.has(node)) node = node.inputs[0]?.node ?? null;
    return node ? this.unitOf.get(node) : undefined;
  }

  /**
   * Moves the part of a group that an earlier loop could compute into that loop, where fewer bytes are stored for it then:
   * a derivative instead of the two values that it is made of. Says whether it did.
   */
  private hoist({ nodes, reads }: Group, sink: Node, shape: readonly Dim[]): boolean {
    const homes = new Set(reads.map((view) => this.unitBehind(view.root)));
    for (const home of homes) {
      if (!home || !isLoop(home) || formatShape(home.shape) !== formatShape(shape)) continue;
      const early = this.computableIn(home, nodes);
      early.delete(sink);
      if (early.size === 0 || early.size + home.nodes.length > maxNodes) continue;
      const inputs = (node: Node): View[] => node.inputs.map(resolveView);
      const needed = new Set([...early].flatMap(inputs).flatMap((v) => (this.isAtHand(v, home) ? [v.root] : [])));
      const fresh = [...needed].filter((v) => !this.stored.has(v));
      const late = [...nodes].filter((node) => !early.has(node)).flatMap(inputs);
      const kept = new Set(late.flatMap((v) => (v.root.node && early.has(v.root.node) ? [v.root] : [])));
      if (width(kept) >= width(fresh)) continue;
      const outside = [...early].flatMap(inputs).filter((v) => !v.root.node || !early.has(v.root.node));
      this.add(home, { nodes: early, reads: outside.filter((v) => !isScalarConstant(v.root.node)) });
      return true;
    }
    return false;
  }

  /** The nodes of a group that depend on values of a loop, and on nothing that comes later. */
  private computableIn(loop: Loop, nodes: ReadonlySet<Node>): Set<Node> {
    const early = new Set<Node>();
    const inOrder = [...nodes].sort((a, b) => this.numbers.get(a)! - this.numbers.get(b)!);
    for (const node of inOrder) {
      if (isReduction(node)) continue;
      const views = node.inputs.map(resolveView).filter((v) => !isScalarConstant(v.root.node));
      const depends = views.some((v) => this.isAtHand(v, loop) || (v.root.node && early.has(v.root.node)));
      const able = views.every((v) => {
        const source = v.root.node;
        if (source && nodes.has(source)) return early.has(source);
        return this.mayRead(loop, [v]);
      });
      if (depends && able) early.add(node);
    }
    return early;
  }

  /** A value is read from memory. */
  private needs(value: Value): void {
    const { node } = value;
    if (node && this.isView(node) && !isAlias(node)) this.materialise(node);
    else {
      this.prepare(value);
      this.stored.add(value);
    }
  }

  /** Copies a view into memory, by a loop that reads the same, or one of its own. */
  private materialise(node: Node): void {
    const value = this.valueOf(node);
    this.stored.add(value);
    if (this.unitOf.has(node)) return;
    const view = resolveView(value);
    const { root } = view;
    const reads = isScalarConstant(root.node) ? [] : [view];
    if (reads.length > 0) this.prepare(root);
    const { shape } = node.outs[0]!;
    const loop = this.loopsOver(shape).at(-1);
    const joins = loop?.reads.has(root) && loop.nodes.length < maxNodes && this.mayRead(loop, reads);
    const chosen = loop && joins ? loop : this.newLoop(shape);
    chosen.reads.add(root);
    this.add(chosen, { nodes: new Set([node]), reads });
  }
}

function behindAliases(value: Value): Value {
  let at = value;
  while (at.node && isAlias(at.node)) at = at.node.inputs[0]!;
  return at;
}

function isFew(shape: readonly Dim[]): boolean {
  return shape.reduce<number>((n, d) => (typeof d === "number" ? n * d : Number.POSITIVE_INFINITY), 1) <= few;
}

/** Bytes of one element of each value. */
function width(values: Iterable<Value>): number {
  let bytes = 0;
  for (const v of values) bytes += dtypes[v.aval.dtype].bytes;
  return bytes;
}

/** Bytes of a value where every size that is not known is the same middling one: to compare, not to count. */
export function roughBytes({ aval: { dtype, shape } }: Value): number {
  return shape.reduce<number>((n, d) => n * (typeof d === "number" ? d : 64), dtypes[dtype].bytes);
}
