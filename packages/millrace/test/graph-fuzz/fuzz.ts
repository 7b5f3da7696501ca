// One seed from its graph to a report.
import { setLogger } from "@millrace/autodiff";
import { checkExample, type Findings, Mismatch, waysOf } from "./check.js";
import { type Example, generate } from "./generate.js";
import { printExample } from "./print-code.js";
import { shrink } from "./shrink.js";

// Graphs print.
setLogger(null);

/** What a seed came to: findings, or how it failed and a smaller graph that fails so too. */
export type Report = { readonly seed: number } & (Findings | { readonly failed: string; readonly code: string });

/** Makes and checks the graph of one seed. */
export function fuzz(seed: number): Report {
  const example = generate(seed);
  try {
    return { seed, ...checkExample(example, waysOf(seed)) };
  } catch (error) {
    if (!(error instanceof Mismatch)) throw new Error(`seed ${seed}`, { cause: error });
    return { seed, failed: error.message, code: printExample(shrink(example, failsIn(error.way))) };
  }
}

/** Whether an example fails in one way. */
function failsIn(way: string): (example: Example) => boolean {
  return (example) => {
    try {
      checkExample(example, (name) => name === way || way.startsWith("pass "));
      return false;
    } catch (error) {
      return error instanceof Mismatch && error.way === way;
    }
  };
}

/** How many graphs came to what. */
export class Tally {
  readonly counts: Record<string, number> = {};
  readonly failures: { readonly seed: number; readonly failed: string; readonly code: string }[] = [];

  add(report: Report): void {
    if ("failed" in report) this.failures.push(report);
    else {
      this.count(`value ${report.value}`);
      this.count(`gradient ${report.gradient}`);
    }
  }

  private count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** The share of values and gradients that were not compared although they could have been. */
  get leftOut(): number {
    const of = (...names: string[]): number => names.reduce((sum, name) => sum + (this.counts[name] ?? 0), 0);
    const reasons = ["near a discontinuity", "vague", "rounded", "zero times infinity", "no gradient"];
    const out = of(...reasons.flatMap((reason) => [`value ${reason}`, `gradient ${reason}`]));
    return out / Math.max(1, out + of("value held", "gradient held"));
  }
}
