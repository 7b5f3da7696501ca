// What a function keeps of its traces. One that is called with ever new numbers would be compiled at each call, and keep all.
import { captureSites, formatSite } from "../types/site.js";
import type { ConcreteFunction } from "./function.js";
import type { GraphPrograms } from "./graph-programs.js";
import { warnOnce } from "./logger.js";

/** Traces that are kept of one function. */
const maxTraces = 128;
/** Traces from which on it is a mistake rather than many kinds of calls. */
const manyTraces = 32;

/** The trace that fits; it is the last one then, so that those which nobody uses go first. */
export function useTrace(
  traces: ConcreteFunction[],
  fits: (trace: ConcreteFunction) => boolean,
): ConcreteFunction | undefined {
  for (let at = traces.length - 1; at >= 0; at--) {
    const found = traces[at]!;
    if (!fits(found)) continue;
    if (at < traces.length - 1) traces.push(...traces.splice(at, 1));
    return found;
  }
  return undefined;
}

/** Keeps a trace, the `count`th of a function of this name. The half that was not used for longest goes where there are too many. */
export function keepTrace(
  traces: ConcreteFunction[],
  made: ConcreteFunction,
  programs: GraphPrograms,
  name: string,
  count: number,
): void {
  if (traces.length >= maxTraces) {
    for (const { graph } of traces.splice(0, maxTraces / 2)) programs.release(graph);
  }
  traces.push(made);
  if (count !== manyTraces) return;
  const [site] = captureSites(1);
  const where = site ? ` (called at ${formatSite(site)})` : "";
  const why = "an argument that is no tensor differs from call to call, or shapes do";
  warnOnce(
    "W_RETRACED",
    site ? formatSite(site) : name,
    `the function ${name || "without a name"}${where} was traced ${count} times: ${why}. Pass what changes as a tensor`,
  );
}
