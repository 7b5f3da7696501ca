// What a function says of how a call runs.
import type { Graph, Node } from "../ir/graph.js";
import { type CallSite, formatSite } from "../types/site.js";
import type { Device } from "./device.js";
import { customOpsOf, hasHostCalls, programsOf } from "./host-calls.js";

/** An op from outside of core: it runs in JavaScript, and splits the program around it. */
export interface HostCallReport {
  readonly op: string;
  /** The line that applied it. */
  readonly site?: CallSite;
}

/** How a call of a function runs; it shows as text. */
export interface CallReport {
  /** "cpu:0" */
  readonly device: string;
  /** The programs that a call runs: one, unless host calls split it. */
  readonly programs: number;
  readonly hostCalls: readonly HostCallReport[];
  /** The graph as it is scheduled: composites that the backend does not claim are replaced by their decomposition. */
  readonly graph: Graph;
  toString(): string;
}

const reportOf = ({ op, sites: [site] }: Node): HostCallReport => ({ op: op.name, ...(site ? { site } : {}) });

/** How a function of this name runs a call that is traced to `graph`. */
export function reportCall(name: string, device: Device, graph: Graph): CallReport {
  const lowered = device.lower(graph);
  const hostCalls = customOpsOf(lowered).map(reportOf);
  const programs = hasHostCalls(lowered) ? programsOf(lowered) : 1;
  const report = {
    device: device.name,
    programs,
    hostCalls,
    graph: lowered,
    toString(): string {
      const count = programs === 1 ? "one program" : `${programs} programs`;
      const split = hostCalls.map(
        ({ op, site }) => `  ${op} runs in JavaScript${site ? `, at ${formatSite(site)}` : ""}`,
      );
      return [`${name || "a function"} on ${device.name}: ${count}`, ...split, String(lowered)].join("\n");
    },
  };
  // For console.log in Node.
  Object.defineProperty(report, Symbol.for("nodejs.util.inspect.custom"), { value: () => report.toString() });
  return report;
}
