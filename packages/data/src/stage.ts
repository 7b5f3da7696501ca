// A pipeline is a tree of stages; iterating opens each stage to a flow, from which elements are pulled.
import { isMillraceError, MillraceError } from "@millrace/core";
import { userFrames } from "@millrace/core/graph";
import { type Element, releaseAll } from "./element.js";
import type { FunctionReport } from "./explain.js";
import type { Spec } from "./spec.js";

/** One source or transformation, as often iterated as wanted. */
export interface Stage {
  /** The name of the function that made it. */
  readonly name: string;
  readonly inputs: readonly Stage[];
  /** How many elements an iteration has: Infinity where it does not end, undefined where only iterating tells. */
  readonly size: number | undefined;
  /** The elements' shapes and dtypes; undefined where only iterating tells. */
  spec(): Spec | undefined;
  /** How its function runs, where it calls one of the user's for each element. */
  report?(): FunctionReport;
  open(): Flow;
}

/** One iteration over a stage. Calls do not overlap: each waits for the one before. */
export interface Flow {
  /**
   * The next elements, at least one and at most `count`; none is the end. The caller owns them. Nothing beyond `count`
   * is taken from the source that this stage could not do without. After an error only `close` may follow.
   */
  pull(count: number): Promise<readonly Element[]>;
  /** Ends the iteration, wherever it is, and frees what it holds. */
  close(): Promise<void>;
}

/** Exactly `count` elements, or all that are left. */
export async function pullAll(flow: Flow, count: number): Promise<readonly Element[]> {
  const first = await flow.pull(count);
  if (first.length === count || first.length === 0) return first;
  const all = [...first];
  try {
    while (all.length < count) {
      const more = await flow.pull(count - all.length);
      if (more.length === 0) break;
      all.push(...more);
    }
    return all;
  } catch (error) {
    releaseAll(all);
    throw error;
  }
}

/** Applies `f` to elements, which it takes over, and drops those for which it gives undefined. */
export async function transformAll(
  elements: readonly Element[],
  f: (element: Element) => Element | undefined | Promise<Element | undefined>,
): Promise<Element[]> {
  const made: Element[] = [];
  for (const [i, element] of elements.entries()) {
    try {
      const result = f(element);
      const next = result instanceof Promise ? await result : result;
      if (next) made.push(next);
    } catch (error) {
      releaseAll(made);
      releaseAll(elements.slice(i));
      throw error;
    }
  }
  return made;
}

/** The error of a function or source of the user, with the name of the stage that called it. */
export function failure(stage: string, error: unknown): unknown {
  if (isMillraceError(error)) {
    const { code, op = stage, shapes, dtypes, rule, site, layer } = error;
    const known = { op, shapes, dtypes, rule, site, layer };
    const details = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
    return new MillraceError(code, `${stage}: ${error.reason ?? error.message}`, { ...details, cause: error });
  }
  // What was aborted on purpose keeps its reason.
  if (!(error instanceof Error) || error.name === "AbortError") return error;
  const [site] = userFrames(error.stack ?? "", 1);
  return new MillraceError("E_DATA", `${stage}: ${error.message}`, { op: stage, cause: error, ...(site && { site }) });
}

/** Closes every flow, also where closing one fails, and throws the first failure. */
export async function closeAll(flows: readonly Flow[]): Promise<void> {
  const results = await Promise.allSettled(flows.map((flow) => flow.close()));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
