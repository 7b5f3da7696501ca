// Loop formation: elementwise chains, index maps and reductions become loop kernels.
import type { Graph } from "../ir/graph.js";
import type { RegionScheduler } from "./schedule.js";

/** Schedules the nodes of a graph, those that can run in loops as loop kernels. */
export function formLoops(scheduler: RegionScheduler, graph: Graph): void {
  for (const node of graph.nodes) scheduler.record(node);
}
