// From units to records: the order in which they run, and the code of loops.
import type { Graph, Node, Value } from "../ir/graph.js";
import { isReduction, isScalarConstant } from "./kinds.js";
import { LoopBody } from "./loop-body.js";
import { type Formed, formLoops, isLoop, type Loop, roughBytes } from "./loops.js";
import { runningOrder } from "./order.js";
import type { RegionScheduler } from "./schedule.js";
import { isView, resolveView } from "./views.js";

/** Schedules the nodes of a graph: those that can, in loops. */
export function emitLoops(scheduler: RegionScheduler, graph: Graph): void {
  new LoopEmitter(scheduler, formLoops(graph)).run(graph);
}

class LoopEmitter {
  private readonly emitted = new Set<Node>();
  private readonly scheduler: RegionScheduler;
  private readonly formed: Formed;

  constructor(scheduler: RegionScheduler, formed: Formed) {
    this.scheduler = scheduler;
    this.formed = formed;
  }

  private valueOf(node: Node): Value {
    return this.formed.outputs.get(node)!;
  }

  run(graph: Graph): void {
    for (const i of this.running()) {
      const unit = this.formed.units[i]!;
      if (isLoop(unit)) this.loop(unit);
      else {
        for (const v of unit.node.inputs) this.memory(v);
        this.scheduler.record(unit.node);
        this.emitted.add(unit.node);
      }
    }
    for (const v of graph.results) this.memory(v);
  }

  /** The units in the order in which they run. */
  private running(): number[] {
    const units = this.formed.units.map((unit) => {
      const nodes = isLoop(unit) ? unit.nodes : [unit.node];
      const reads = new Map<Value, number>();
      for (const node of nodes) {
        for (const v of node.inputs) {
          const value = this.inMemory(isLoop(unit) ? resolveView(v).root : v);
          const from = value.node && this.formed.unitOf.get(value.node);
          if (from && from !== unit) reads.set(value, from.order);
        }
      }
      const made = nodes
        .flatMap((node) => this.formed.outputs.get(node) ?? [])
        .filter((v) => this.formed.stored.has(v));
      const stops = !isLoop(unit) && (unit.node.effect || unit.node.regions.length > 0);
      const kept = made.filter((v) => !this.formed.results.has(v));
      const bytes = kept.reduce((sum, v) => sum + roughBytes(v), 0);
      return { movable: isLoop(unit), stops, reads, made: bytes, renews: kept.length < made.length };
    });
    return runningOrder(units, (v) => (this.formed.results.has(v) ? 0 : roughBytes(v)));
  }

  /** The value whose bytes these are: an alias has the memory of what it renames. */
  private inMemory(value: Value): Value {
    let at = value;
    while (at.node && !this.formed.unitOf.has(at.node) && at.node.inputs[0]) at = at.node.inputs[0];
    return at;
  }

  /** Makes sure that a value without a unit, a constant or an alias, has its record before it is read. */
  private memory(value: Value): void {
    const { node } = value;
    if (!node || this.emitted.has(node) || this.formed.unitOf.has(node)) return;
    for (const v of node.inputs) this.memory(v);
    this.scheduler.record(node);
    this.emitted.add(node);
  }

  private loop(loop: Loop): void {
    const body = new LoopBody(this.scheduler, loop.shape);
    const inside = new Set(loop.nodes);
    const read = (value: Value): number => {
      const view = resolveView(value);
      const { node } = view.root;
      if (isScalarConstant(node)) return body.constant(node);
      if (node && inside.has(node) && !isReduction(node)) return body.result(node);
      this.memory(view.root);
      return body.load(view);
    };
    for (const node of loop.nodes) {
      if (isReduction(node)) body.reduce(node, read(node.inputs[0]!));
      else if (isView(this.valueOf(node))) body.rename(node, read(this.valueOf(node)));
      else if (node.op.name === "iota") body.iota(node);
      else body.apply(node, node.inputs.map(read));
    }
    for (const node of loop.nodes) {
      this.emitted.add(node);
      if (!isReduction(node) && this.formed.stored.has(this.valueOf(node))) body.store(node);
    }
    this.scheduler.add(body.record(), loop.nodes);
  }
}
