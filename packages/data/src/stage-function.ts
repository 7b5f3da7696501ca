// A user's function as a stage calls it: one program where its graph does all that it does, JavaScript where not.
import { type CallSite, isMillraceError, MillraceError } from "@millrace/core";
import { CheckedFunction, type Impurity, userFrames, warnImpure } from "@millrace/core/graph";
import { checkOptions } from "@millrace/core/support";
import { badArgument, checkFunction } from "./arguments.js";
import { type Element, valueOf } from "./element.js";
import type { FunctionReport } from "./explain.js";
import {
  isPromise,
  isSameStructure,
  isTensor,
  isTypedArray,
  isUserLeaf,
  join,
  type Structure,
  split,
} from "./structure.js";

/**
 * How the function of a stage runs.
 * @public
 */
export interface StageFunctionOptions {
  /**
   * Unless given, a function that takes and gives tensors alone becomes one program, if two traces of it are alike and it
   * called neither Math.random nor a clock nor the console. `true` makes it a program in any case, and throws where it
   * cannot be one; `false` runs it as JavaScript.
   */
  readonly trace?: boolean;
}

/** Why a function runs as JavaScript. */
interface Reason {
  readonly reason: string;
  readonly site?: CallSite;
}

/** Says why a function is no program. */
class Untraceable extends Error {
  readonly why: Reason;
  constructor(reason: string, site?: CallSite) {
    super(reason);
    this.why = { reason, ...(site && { site }) };
  }
}

/** Graphs that a stage's function may have before it is better run as it is. */
const mostGraphs = 16;

interface Program {
  readonly structure: Structure;
  readonly traced: CheckedFunction;
}

/** The function of one stage, for all iterations. */
export class StageFunction {
  private readonly stage: string;
  private readonly f: (value: unknown) => unknown;
  private readonly isForced: boolean;
  private readonly programs: Program[] = [];
  private plain: Reason | undefined;

  constructor(stage: string, f: (value: unknown) => unknown, options: StageFunctionOptions = {}) {
    checkFunction(stage, f);
    checkOptions(stage, options, ["trace"]);
    const { trace } = options;
    if (trace !== undefined && typeof trace !== "boolean") {
      throw badArgument(stage, `trace must be true or false, got ${String(trace)}`);
    }
    this.stage = stage;
    this.f = f;
    this.isForced = trace === true;
    this.plain = trace === false ? { reason: "{ trace: false } was given" } : undefined;
  }

  /** What the function gives for an element, whose rows must have been realized. Call it within a tidy. */
  call(element: Element): unknown {
    if (this.plain) return this.run(element);
    try {
      return this.runProgram(element);
    } catch (error) {
      if (this.isForced) throw error instanceof Untraceable ? this.refusal(error.why) : error;
      // What the function would do again, or what is no fault of tracing.
      if (["E_ASYNC_SCOPE", "E_ABORTED", "E_MEMORY"].some((code) => isMillraceError(error) && error.code === code)) {
        throw error;
      }
      // Where this fails too, the function does, and nothing is said of its graph.
      const value = this.run(element);
      this.giveUp(reasonOf(error));
      return value;
    }
  }

  report(): FunctionReport {
    if (this.plain) return { runs: "javascript", graphs: [], ...this.plain };
    const graphs = this.programs.flatMap(({ traced }) => traced.traces.map(({ graph }) => String(graph)));
    return { runs: graphs.length > 0 ? "traced" : "undecided", graphs };
  }

  private run(element: Element): unknown {
    return this.callSync(valueOf(element));
  }

  private runProgram(element: Element): unknown {
    const other = element.leaves.find((leaf) => !isTensor(leaf) && !isNothing(leaf));
    if (other !== undefined) throw new Untraceable(`its element holds ${kindOf(other)}`);
    if (!element.leaves.some(isTensor)) throw new Untraceable("its element holds no tensor");
    const { traced } = this.programFor(element.structure);
    if (!this.isForced && this.countGraphs() > mostGraphs) {
      throw new Untraceable(`it has another graph for each of ${mostGraphs} sizes and more`);
    }
    return traced.call(undefined, element.leaves);
  }

  private programFor(structure: Structure): Program {
    const known = this.programs.find((program) => isSameStructure(program.structure, structure));
    if (known) return known;
    const onLeaves = (...leaves: readonly unknown[]): unknown => {
      const value = this.callSync(join(structure, leaves));
      checkResult(value);
      return value;
    };
    Object.defineProperty(onLeaves, "name", { value: this.f.name || this.stage });
    const onImpure = (impurities: readonly Impurity[]): void => {
      if (!this.isForced) throw new Untraceable(impurities[0]!.reason, impurities[0]!.site);
      warnImpure(`of ${this.stage}`, impurities);
    };
    const made = { structure, traced: new CheckedFunction(onLeaves, { isQuiet: !this.isForced, onImpure }) };
    this.programs.push(made);
    return made;
  }

  private countGraphs(): number {
    return this.programs.reduce((sum, { traced }) => sum + traced.traces.length, 0);
  }

  /** Runs JavaScript from now on. */
  private giveUp(why: Reason): void {
    this.plain = why;
    for (const { traced } of this.programs.splice(0)) traced.release();
  }

  private refusal({ reason, site }: Reason): MillraceError {
    return new MillraceError("E_ARGUMENT", `the function cannot be traced: ${reason}`, {
      op: this.stage,
      ...(site && { site }),
    });
  }

  /** Refuses a promise, for which the tensors of a scope would be freed too early. */
  private callSync(value: unknown): unknown {
    const { f } = this;
    const result = f(value);
    if (!isPromise(result)) return result;
    result.then(undefined, () => {});
    const instead = this.stage === "map" ? "use mapAsync" : "decide in a mapAsync before";
    throw new MillraceError("E_ASYNC_SCOPE", `the function returned a promise; ${instead}`, { op: this.stage });
  }
}

/** A graph gives tensors. Nothing may stand beside them, as in { xs, ys, sampleWeight: undefined }. */
function checkResult(value: unknown): void {
  const leaves: unknown[] = [];
  split(value, leaves, isUserLeaf);
  const other = leaves.find((leaf) => !isTensor(leaf) && !isNothing(leaf));
  if (other !== undefined) throw new Untraceable(`it returns ${kindOf(other)}`);
  if (!leaves.some(isTensor)) throw new Untraceable("it returns no tensor");
}

function isNothing(leaf: unknown): boolean {
  return leaf === undefined || leaf === null;
}

function kindOf(leaf: unknown): string {
  if (Array.isArray(leaf)) return "an array";
  if (isTypedArray(leaf)) return "a typed array";
  return typeof leaf === "object" ? "an object of a class" : `a ${typeof leaf}`;
}

function reasonOf(error: unknown): Reason {
  if (error instanceof Untraceable) return error.why;
  if (isMillraceError(error)) {
    const { site } = error;
    const [what] = error.reason.split(":");
    const reason = error.code === "E_SYNC_READ" ? `${what} reads a value` : `tracing it failed: ${error.reason}`;
    return { reason, ...(site && { site }) };
  }
  if (!(error instanceof Error)) return { reason: `tracing it failed: ${String(error)}` };
  const [site] = userFrames(error.stack ?? "", 1);
  return { reason: `tracing it failed: ${error.message}`, ...(site && { site }) };
}
