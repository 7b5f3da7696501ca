// What a function says of how a call runs.
import type { Graph, Node } from "../ir/graph.js";
import { hasCopies } from "../passes/place.js";
import { type CallSite, formatSite } from "../types/site.js";
import type { Device } from "./device.js";
import { customOpsOf, hasHostCalls, programsOf } from "./host-calls.js";
import { partsOf } from "./placed-program.js";

/** An op from outside of core: it runs in JavaScript, and splits the program around it. */
export interface HostCallReport {
  readonly op: string;
  /** The line that applied it. */
  readonly site?: CallSite;
}

/** How a call of a function runs; it shows as text. */
export interface CallReport {
  /** "cpu:0", that of the first argument. */
  readonly device: string;
  /** All that it runs on. */
  readonly devices: readonly string[];
  /** Values that are copied from one to another. */
  readonly copies: number;
  /** The programs that a call runs: one, unless host calls split it. */
  readonly programs: number;
  readonly hostCalls: readonly HostCallReport[];
  /** The graph as it is scheduled: composites that the backend does not claim are replaced by their decomposition. */
  readonly graph: Graph;
  toString(): string;
}

const reportOf = ({ op, sites: [site] }: Node): HostCallReport => ({ op: op.name, ...(site ? { site } : {}) });

/** How a function of this name runs a call that is traced to `graph`. */
export function reportCall(name: string, device: Device, graph: Graph, params: readonly Device[]): CallReport {
  const lowered = device.lower(graph);
  const hostCalls = customOpsOf(lowered).map(reportOf);
  const isElsewhere = params.some((place) => place !== device) || hasCopies(graph);
  const parts = isElsewhere ? partsOf(graph, params, device) : undefined;
  const devices = parts?.devices ?? [device.name];
  const programs = parts?.programs ?? (hasHostCalls(lowered) ? programsOf(lowered) : 1);
  const copies = parts?.copies ?? 0;
  const report = {
    device: device.name,
    devices,
    copies,
    programs,
    hostCalls,
    graph: lowered,
    toString(): string {
      const moved = copies === 0 ? "" : `, ${copies} ${copies === 1 ? "copy" : "copies"} between`;
      const count = programs === 1 ? "one program" : `${programs} programs${moved}`;
      const split = hostCalls.map(
        ({ op, site }) => `  ${op} runs in JavaScript${site ? `, at ${formatSite(site)}` : ""}`,
      );
      return [`${name || "a function"} on ${devices.join(" and ")}: ${count}`, ...split, String(lowered)].join("\n");
    },
  };
  // For console.log in Node.
  Object.defineProperty(report, Symbol.for("nodejs.util.inspect.custom"), { value: () => report.toString() });
  return report;
}
