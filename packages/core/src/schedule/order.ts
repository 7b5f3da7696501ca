// Two orders: that in which nodes are given to units, and that in which units run.
import type { Graph, Node } from "../ir/graph.js";
import { isFusible } from "./kinds.js";

/**
 * The order in which nodes are placed: a node waits for its first reader, so that what depends on parameters alone meets
 * the loop that reads it, while scalars come as early as they can, so that nothing waits for them.
 */
export function placingOrder(graph: Graph): Node[] {
  const level = new Map<Node, number>();
  let lastEffect = 0;
  for (const node of graph.nodes) {
    let own = node.effect ? lastEffect : 0;
    for (const { node: source } of node.inputs)
      if (source) own = Math.max(own, level.get(source)! + (isFusible(source) ? 0 : 1));
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
  const ranks = [...rank.values()].reduce((most, r) => Math.max(most, r), 0);
  const byRank: Node[][] = Array.from({ length: ranks + 1 }, () => []);
  for (const node of graph.nodes) byRank[rank.get(node)!]!.push(node);
  return byRank.flat();
}

/** What decides when a unit runs. */
export interface Running<B> {
  /** Whether it may run earlier than its number says. */
  readonly movable: boolean;
  /** Whether it can stop the program, or is a loop that can be cancelled. */
  readonly stops: boolean;
  /** Buffers that it reads, with the unit that makes them. */
  readonly reads: ReadonlyMap<B, number>;
  /** Bytes that it makes and that stay until they are read. */
  readonly made: number;
  /** Whether it writes a result, which may lie where a donated parameter did. */
  readonly renews: boolean;
}

/**
 * The order in which units run: by number, but a loop comes as soon as what it reads is there if that leaves no more
 * bytes alive: directly after the kernel whose result it goes on with.
 */
export function runningOrder<B>(units: readonly Running<B>[], bytesOf: (buffer: B) => number): number[] {
  const readers = units.map((): number[] => []);
  const waiting = units.map(({ reads }) => new Set(reads.values()).size);
  const unread = new Map<B, number>();
  units.forEach(({ reads }, i) => {
    for (const from of new Set(reads.values())) readers[from]!.push(i);
    for (const buffer of reads.keys()) unread.set(buffer, (unread.get(buffer) ?? 0) + 1);
  });
  let stopping = units.filter((unit) => unit.stops).length;
  const done = units.map(() => false);
  const order: number[] = [];
  const follows = (i: number): boolean => {
    const { movable, renews, reads, made } = units[i]!;
    if (done[i] || !movable || waiting[i]! > 0 || (renews && stopping > 0)) return false;
    let freed = 0;
    for (const buffer of reads.keys()) if (unread.get(buffer) === 1) freed += bytesOf(buffer);
    return made <= freed;
  };
  const run = (first: number): void => {
    const queue = [first];
    for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
      if (done[i]) continue;
      done[i] = true;
      order.push(i);
      if (units[i]!.stops) stopping--;
      for (const buffer of units[i]!.reads.keys()) unread.set(buffer, unread.get(buffer)! - 1);
      for (const reader of readers[i]!) waiting[reader]!--;
      queue.push(...readers[i]!.filter(follows).reverse());
    }
  };
  for (let i = 0; i < units.length; i++) run(i);
  for (let at = 0; at < order.length; at++) before(units, order, at);
  return order;
}

/** Bytes that may wait for a kernel to run. */
const small = 1 << 16;

/**
 * Runs the small loops that stand between a kernel and the loop that goes on with its result before the kernel: a backend
 * may run the two as one.
 */
function before<B>(units: readonly Running<B>[], order: number[], at: number): void {
  const kernel = order[at]!;
  if (units[kernel]!.movable || units[kernel]!.stops) return;
  let made = 0;
  for (let next = at + 1; next < order.length; next++) {
    const unit = units[order[next]!]!;
    made += unit.made;
    if (!unit.movable) return;
    if ([...unit.reads.values()].includes(kernel)) {
      order.splice(at, next - at, ...order.slice(at + 1, next), kernel);
      return;
    }
    if (made > small || unit.renews) return;
  }
}
