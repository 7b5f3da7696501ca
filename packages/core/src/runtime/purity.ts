// Whether a graph would do what its function does: the function is traced twice under watch, and the graphs compared.
import { firstDifference } from "../ir/difference.js";
import type { Dim } from "../ir/dim.js";
import type { Graph } from "../ir/graph.js";
import { MillraceError } from "../types/errors.js";
import { platform } from "../types/platform.js";
import { type CallSite, captureSites, formatSite, withSite } from "../types/site.js";
import { standsFor } from "../types/unwatched.js";
import type { ConcreteFunction } from "./function.js";
import { warnOnce } from "./logger.js";
import { sameTemplate } from "./structure.js";

/** Something that a function does at each call, and its graph would do once. */
export interface Impurity {
  /** What was called: "Math.random"; undefined where two traces differ. */
  readonly called: string | undefined;
  /** "Math.random was called", "two traces differ: the constant 3 is 4 in the second". */
  readonly reason: string;
  /** The user's line. */
  readonly site: CallSite | undefined;
}

/** What is done about a function whose graph would not do what it does. */
export interface PurityCheck {
  /** Whether the function runs as JavaScript then: tracing prints nothing, and what was caught at once is not traced twice. */
  readonly isQuiet: boolean;
  onImpure(impurities: readonly Impurity[]): void;
}

/** Traces twice, and tells `check` what is impure. The first trace is the one to keep. */
export function traceTwice(trace: () => ConcreteFunction, check: PurityCheck): ConcreteFunction {
  const found: Impurity[] = [];
  const note = (impurity: Impurity): void => {
    const isKnown = found.some(({ called, site }) => called === impurity.called && sameSite(site, impurity.site));
    if (!isKnown) found.push(impurity);
  };
  const tracing = check.isQuiet ? keepingNothing(trace) : trace;
  const made = watched(tracing, !check.isQuiet, note);
  if (found.length === 0 || !check.isQuiet) {
    const difference = differenceOf(made, watched(tracing, false, note));
    if (difference) found.push(difference);
  }
  if (found.length > 0) check.onImpure(found);
  return made;
}

function sameSite(a: CallSite | undefined, b: CallSite | undefined): boolean {
  return a?.file === b?.file && a?.line === b?.line && a?.column === b?.column;
}

/** In what two traces of a function differ, `by` put in place of the first one's symbols. */
export function differenceOf(
  a: ConcreteFunction,
  b: ConcreteFunction,
  by: ReadonlyMap<string, Dim> = new Map(),
): Impurity | undefined {
  const differ = (reason: string, site: CallSite | undefined): Impurity => {
    return { called: undefined, reason: `two traces differ: ${reason}`, site };
  };
  const inGraph = firstDifference(a.graph, b.graph, by);
  if (inGraph) return differ(inGraph.reason, inGraph.sites[0]);
  const first = a.args.length;
  const outside = [...a.captures, ...a.variables].findIndex((x, i) => x !== [...b.captures, ...b.variables][i]);
  if (outside >= 0) return differ("a tensor from outside is another in the second", userOf(b.graph, first + outside));
  if (a.assigned.some((v, i) => v !== b.assigned[i])) return differ("they assign other variables", undefined);
  return sameTemplate(a.results, b.results) ? undefined : differ("they return other values", undefined);
}

/** The line that uses a parameter first. */
function userOf(graph: Graph, param: number): CallSite | undefined {
  return graph.nodes.find((node) => node.inputs.includes(graph.params[param]!))?.sites[0];
}

const consoleMethods = [
  ...["log", "info", "warn", "error", "debug", "trace", "dir", "dirxml", "table", "assert", "count", "countReset"],
  ...["group", "groupCollapsed", "groupEnd", "time", "timeLog", "timeEnd"],
];

// boundary: a function of any signature
type AnyFunction = (...args: unknown[]) => unknown;

/**
 * Runs `f` with stand-ins for Math.random, the clocks and the console, which note who calls them. No other code runs
 * meanwhile, since `f` is synchronous.
 */
function watched<T>(f: () => T, isHeard: boolean, note: (impurity: Impurity) => void): T {
  const restore: (() => void)[] = [];
  const noted = (called: string): void => {
    note({ called, reason: `${called} was called`, site: captureSites(1)[0] });
  };
  const watch = (host: object | undefined, key: string, called: string, isRun: boolean): void => {
    const original: unknown = host && Reflect.get(host, key);
    if (!host || typeof original !== "function") return;
    // boundary: it was just found to be a function
    const call = original as AnyFunction;
    const standIn = function (this: unknown, ...args: unknown[]): unknown {
      noted(called);
      return isRun ? Reflect.apply(call, this, args) : undefined;
    };
    standsFor(standIn, call);
    restore.push(replace(host, key, standIn));
  };
  const { Date: ownDate } = globalThis;
  const watchedDate = new Proxy(ownDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) noted("new Date");
      // boundary: what Date constructs
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply(target) {
      noted("Date");
      return target();
    },
  });
  try {
    watch(Math, "random", "Math.random", true);
    watch(ownDate, "now", "Date.now", true);
    restore.push(replace(globalThis, "Date", watchedDate));
    watch(platform.performance, "now", "performance.now", true);
    for (const method of consoleMethods) watch(platform.console, method, `console.${method}`, isHeard);
    return f();
  } finally {
    for (const back of restore.reverse()) back();
  }
}

/** Traces again, without output to the console. */
export function traceAgain(trace: () => ConcreteFunction): ConcreteFunction {
  return watched(keepingNothing(trace), false, () => {});
}

let mayKeep = true;

/** A trace during which tf.keep refuses tracers: the function may run as JavaScript later, and must not find them. */
function keepingNothing(trace: () => ConcreteFunction): () => ConcreteFunction {
  return () => {
    const before = mayKeep;
    mayKeep = false;
    try {
      return trace();
    } finally {
      mayKeep = before;
    }
  };
}

/** Called by tf.keep with a tensor that has no value yet. */
export function checkKept(): void {
  if (mayKeep) return;
  throw new MillraceError("E_TRACER_LEAK", "keep: this tensor has no value yet, its function is being traced");
}

/** Puts `standIn` in a place that may be inherited or locked; returns what puts the place back as it was. */
function replace(host: object, key: string, standIn: unknown): () => void {
  const own = Reflect.getOwnPropertyDescriptor(host, key);
  const enumerable = own?.enumerable ?? true;
  if (!Reflect.defineProperty(host, key, { value: standIn, configurable: true, writable: true, enumerable })) {
    return () => {};
  }
  return () => {
    // What the function itself has put there stays.
    if (Reflect.get(host, key) !== standIn) return;
    if (own) Reflect.defineProperty(host, key, own);
    else Reflect.deleteProperty(host, key);
  };
}

const insteads: Readonly<Record<string, string>> = {
  "Math.random": "; draw with tf.randomUniform and its like",
  "Date.now": "; pass the time as an argument",
  "performance.now": "; pass the time as an argument",
  "new Date": "; pass the time as an argument",
  Date: "; pass the time as an argument",
};

/** Warns of what is impure in a function, once a line. */
export function warnImpure(name: string, impurities: readonly Impurity[]): void {
  const difference = impurities.find(({ called }) => called === undefined);
  const where = difference?.site ? ` at ${formatSite(difference.site)}` : "";
  const constant = difference ? ` (${difference.reason}${where})` : "";
  for (const impurity of impurities) {
    const { called, reason, site } = impurity;
    if (called === undefined && impurities.length > 1) continue;
    const isConsole = called?.startsWith("console.");
    const kept = isConsole
      ? " while it was traced, and is not at each call; print tensors with tf.print"
      : called === undefined
        ? "; every call runs the first: pass what changes as an argument, or keep it in a tf.variable"
        : ` while it was traced, and every call uses what it gave then${constant}${insteads[called] ?? ""}`;
    const place = site ? formatSite(site) : name;
    warnOnce("W_IMPURE_FUNCTION", place, withSite(`the function ${name || "without a name"}: ${reason}${kept}`, site));
  }
}

let isOn = false;

/** See tf.debugging.checkPurity. */
export function setPurityCheck(on: boolean): void {
  isOn = on;
}

/** A trace of the tf.function `name`, looked at where tf.debugging asks for it. */
export function traceChecked(name: string, trace: () => ConcreteFunction): ConcreteFunction {
  if (!isOn) return trace();
  return traceTwice(trace, { isQuiet: false, onImpure: (impurities) => warnImpure(name, impurities) });
}
