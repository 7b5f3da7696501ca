// What a function keeps of its traces, and why there are so many. One that is called with ever new numbers would be compiled
// at each call, and keep all.
import { type Aval, formatAval } from "../ir/aval.js";
import { type CallSite, captureSites, formatSite } from "../types/site.js";
import type { ConcreteFunction } from "./function.js";
import type { GraphPrograms } from "./graph-programs.js";
import { warnOnce } from "./logger.js";
import type { Template } from "./structure.js";
import { inspect } from "./tensor.js";

/** Traces that are kept of one function. */
const maxTraces = 128;
/** Retraces after which it is a mistake rather than many kinds of calls. */
const manyRetraces = 5;

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

/** Keeps a trace. The half that was not used for longest goes where there are too many. */
export function keepTrace(traces: ConcreteFunction[], made: ConcreteFunction, programs: GraphPrograms): void {
  if (traces.length >= maxTraces) {
    for (const { graph } of traces.splice(0, maxTraces / 2)) programs.release(graph);
  }
  traces.push(made);
}

/** One difference between two calls. */
export interface ArgumentChange {
  /** Where it is: "argument 1", "argument 0.items[2]", or "device". */
  readonly path: string;
  readonly was: string;
  readonly became: string;
}

/** A call that needed another trace. */
export interface Retrace {
  /** Which trace it is: 2 is the second. */
  readonly trace: number;
  /** The line that called. */
  readonly site?: CallSite;
  /** How the call differs from the most similar one before it that was traced. */
  readonly changes: readonly ArgumentChange[];
}

/** Why a function was traced more than once. */
export interface RetraceReport {
  readonly traces: number;
  /** The latest ones, in order. */
  readonly retraces: readonly Retrace[];
  /** A line for each retrace; console.log shows it too. */
  toString(): string;
}

/** A call that was traced. */
interface TracedCall {
  readonly template: Template;
  readonly args: readonly Aval[];
  /** What the trace takes: sizes may be symbols. */
  readonly takes: readonly Aval[];
  readonly device: string;
}

/** The calls that a function was traced for. */
export class TraceHistory {
  /** How many there were. */
  count = 0;
  /** The line that called the first time. */
  first: CallSite | undefined;
  /** Whether many of them are worth a warning: not where nobody asked for a trace. */
  warns = true;
  private readonly calls: TracedCall[] = [];
  private readonly retraces: Retrace[] = [];
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Notes a call that was traced; warns where it is one too many. */
  add(call: TracedCall): void {
    this.count++;
    const [site] = captureSites(1);
    if (this.count === 1) this.first = site;
    if (this.calls.length > 0) {
      const retrace = { trace: this.count, changes: this.changesTo(call), ...(site ? { site } : {}) };
      if (this.retraces.push(retrace) > maxTraces) this.retraces.shift();
      if (this.warns && this.count === manyRetraces + 1) this.warn(retrace);
    }
    if (this.calls.push(call) > maxTraces) this.calls.shift();
  }

  report(): RetraceReport {
    const { count, name } = this;
    const retraces = [...this.retraces];
    const report = {
      traces: count,
      retraces,
      toString(): string {
        const head = `${name || "a function without a name"} was traced ${count === 1 ? "once" : `${count} times`}`;
        return [head, ...retraces.map(lineOf)].join("\n");
      },
    };
    Object.defineProperty(report, inspect, { value: () => report.toString() });
    return report;
  }

  /** The differences from the most similar call: the fewest, of the latest. */
  private changesTo(call: TracedCall): ArgumentChange[] {
    let least: ArgumentChange[] | undefined;
    for (const earlier of [...this.calls].reverse()) {
      const changes = changesBetween(earlier, call);
      if (!least || changes.length < least.length) least = changes;
    }
    return least ?? [];
  }

  private warn({ site, changes }: Retrace): void {
    const where = site ? ` (called at ${formatSite(site)})` : "";
    const why = changes.map(inWords).join("; ");
    warnOnce(
      "W_RETRACED",
      site ? formatSite(site) : this.name,
      `the function ${this.name || "without a name"}${where} was traced ${this.count} times. This time ${why}. ` +
        "Pass what changes as a tensor; explainRetraces() tells of the other times",
    );
  }
}

const inWords = ({ path, was, became }: ArgumentChange): string => `${path} was ${was} and became ${became}`;

function lineOf({ trace, site, changes }: Retrace): string {
  return `  trace ${trace}${site ? ` at ${formatSite(site)}` : ""}: ${changes.map(inWords).join("; ")}`;
}

function changesBetween(a: TracedCall, b: TracedCall): ArgumentChange[] {
  const changes: ArgumentChange[] = [];
  const compare = (path: string, was: Template, is: Template): void => {
    if (was.kind === "list" && is.kind === "list" && was.items.length === is.items.length) {
      was.items.forEach((item, i) => {
        compare(path ? `${path}[${i}]` : `argument ${i}`, item, is.items[i]!);
      });
      return;
    }
    if (was.kind === "record" && is.kind === "record" && keysOf(was) === keysOf(is)) {
      was.entries.forEach(([key, item], i) => {
        compare(`${path}.${key}`, item, is.entries[i]![1]);
      });
      return;
    }
    if (was.kind === "value" && is.kind === "value" && Object.is(was.value, is.value)) return;
    if (was.kind === "leaf" && is.kind === "leaf" && takes(a.takes[was.index]!, b.args[is.index]!)) return;
    const [before, after] = [describe(was, a.args), describe(is, b.args)];
    changes.push({ path: path || "the arguments", was: before, became: distinct(before, after) });
  };
  if (a.device !== b.device) changes.push({ path: "device", was: a.device, became: b.device });
  compare("", a.template, b.template);
  return changes;
}

/** Whether a trace for `want` takes this, as far as one argument goes. */
function takes(want: Aval, got: Aval): boolean {
  if (want.dtype !== got.dtype || want.shape.length !== got.shape.length) return false;
  return want.shape.every((d, i) => typeof d !== "number" || d === got.shape[i]);
}

const keysOf = ({ entries }: { readonly entries: readonly (readonly [string, Template])[] }): string =>
  entries.map(([key]) => key).join();

/** Two things that look alike are still two. */
const distinct = (was: string, became: string): string => (was === became ? `another ${became}` : became);

function describe(template: Template, args: readonly Aval[]): string {
  switch (template.kind) {
    case "leaf":
      return formatAval(args[template.index]!);
    case "list":
      return `a list of ${template.items.length}`;
    case "record":
      return `{ ${template.entries.map(([key]) => key).join(", ")} }`;
    case "parted":
      return `a ${template.value.constructor.name} of ${template.parts.map((t) => describe(t, args)).join(", ")}`;
    case "value":
      return describeValue(template.value);
  }
}

/** Letters of a value that are shown. */
const maxLetters = 40;

function describeValue(value: unknown): string {
  if (typeof value === "function") return value.name ? `function ${value.name}` : "function";
  if (typeof value === "object" && value !== null)
    return `object of ${Object.getPrototypeOf(value)?.constructor?.name ?? "no class"}`;
  const text = typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : String(value);
  return text.length > maxLetters ? `${text.slice(0, maxLetters - 1)}…` : text;
}
