// What a dataset says of its stages.
import type { CallSite } from "@millrace/core";
import { formatSite } from "@millrace/core/graph";
import type { Stage } from "./stage.js";

/**
 * How the function of a stage runs: as a program, as JavaScript, or not yet decided, before the first element.
 * @public
 */
export interface FunctionReport {
  readonly runs: "traced" | "javascript" | "undecided";
  /** The graphs of its traces as text; sizes that vary share one. */
  readonly graphs: readonly string[];
  /** Why it runs as JavaScript. */
  readonly reason?: string;
  /** The line of yours that is the reason, where there is one. */
  readonly site?: CallSite;
}

/**
 * One stage of a dataset.
 * @public
 */
export interface StageReport {
  /** The name of the method or source: "map". */
  readonly stage: string;
  /** 0, and one more for each `zip` and `concatenate` that the stage's elements go into. */
  readonly level: number;
  /** Of stages that call a function of yours for each element. */
  readonly function?: FunctionReport;
}

/**
 * What `explain()` gives: a list, and as a string a line for each stage.
 * @public
 */
export interface DatasetReport {
  /** The stages in the order in which an element passes them. */
  readonly stages: readonly StageReport[];
  toString(): string;
}

export function explainStage(stage: Stage): DatasetReport {
  return new Report(stagesOf(stage, 0));
}

function stagesOf(stage: Stage, level: number): StageReport[] {
  const called = stage.report?.();
  const own = { stage: stage.name, level, ...(called && { function: called }) };
  const deeper = stage.inputs.length > 1 ? 1 : 0;
  return [...stage.inputs.flatMap((input) => stagesOf(input, level + deeper)), own];
}

class Report implements DatasetReport {
  readonly stages: readonly StageReport[];
  constructor(stages: readonly StageReport[]) {
    this.stages = stages;
  }

  toString(): string {
    return this.stages.map(lineOf).join("\n");
  }

  /** For console.log in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function lineOf({ stage, level, function: called }: StageReport): string {
  return `${"  ".repeat(level)}${stage}${called ? `: ${howItRuns(called)}` : ""}`;
}

function howItRuns({ runs, graphs, reason, site }: FunctionReport): string {
  if (runs === "undecided") return "decided at its first element";
  if (runs === "traced") return `traced, ${graphs.length} graph${graphs.length === 1 ? "" : "s"}`;
  return `plain JavaScript: ${reason}${site ? ` at ${formatSite(site)}` : ""}`;
}
