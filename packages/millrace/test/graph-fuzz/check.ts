// Whether one graph gives the same in every way of running it, and its gradient too.
import { type Aval, dtypes } from "@millrace/core/backend";
import { evaluateGraph, type Graph, isNoRule, optimize, transforms, verify } from "@millrace/core/graph";
import { expectSame, type Tolerance } from "../../../core/src/testing/compare.js";
import { randomArray, randomOf } from "../../../core/src/testing/data.js";
import { applyHost, type HostVal, hostOps, hostVal } from "../../../core/src/testing/host.js";
import { pullBackGraph } from "../../../core/src/testing/rules.js";
import type { Example } from "./generate.js";
import { impliesZeros, isVague, LaneEvaluator, type Lanes, type Mode, toleranceOf } from "./lanes.js";
import { compiledOn, eager, type Run, symbolicOn, taped, traced, unoptimisedOn } from "./run.js";

/** What became of a graph's value or gradient: it held, or why it was not compared. */
export type Outcome =
  | "held"
  | "near a discontinuity"
  | "vague"
  | "rounded"
  | "zero times infinity"
  | "no gradient"
  | "nothing";

/** What was found of one graph. */
export interface Findings {
  readonly value: Outcome;
  readonly gradient: Outcome;
}

/** Thrown where a way of running a graph gives something else. */
export class Mismatch extends Error {
  readonly way: string;
  constructor(way: string, message: string) {
    super(`${way}: ${message}`);
    this.way = way;
  }
}

/** Ways that give the bits of the definitions, and those that may round in another order. */
interface Way {
  readonly run: Run;
  readonly exact: boolean;
}

const ways: Readonly<Record<string, Way>> = {
  "passes, one by one": { run: passByPass, exact: true },
  "reference, op by op": { run: compiledOn("reference"), exact: true },
  "reference, loops": { run: compiledOn("loops"), exact: true },
  "reference, loops, any size": { run: symbolicOn("loops"), exact: true },
  cpu: { run: compiledOn("cpu"), exact: false },
  "cpu, unoptimised": { run: unoptimisedOn("cpu"), exact: false },
  "cpu, any size": { run: symbolicOn("cpu"), exact: false },
  "cpu, traced": { run: traced, exact: false },
  "cpu, eager": { run: eager("JavaScript"), exact: false },
  "cpu, eager, ops with regions": { run: eager("ops"), exact: false },
};

const isFloat = ({ aval }: { readonly aval: Aval }): boolean => dtypes[aval.dtype].isFloat;

/** The graph after each pass: legal, and evaluated to the same values. */
function passByPass(graph: Graph, args: readonly HostVal[]): readonly HostVal[] {
  const want = evaluateGraph(graph, args, applyHost);
  optimize(
    graph,
    () => false,
    (pass, after) => {
      const problems = verify(after, pass.to);
      if (problems.length > 0) throw new Mismatch(`pass ${pass.name}`, problems.join("\n"));
      const got = evaluateGraph(after, args, applyHost);
      for (const [i, y] of got.entries()) compare(`pass ${pass.name}`, i, y, want[i]!, () => 0);
    },
  );
  return want;
}

function compare(way: string, result: number, got: HostVal, want: HostVal, tolerance: Tolerance): void {
  try {
    expectSame(`result ${result}`, got, want, tolerance);
  } catch (error) {
    throw new Mismatch(way, error instanceof Error ? error.message : String(error));
  }
}

/** Whether such an op is in a graph or its regions. */
const usesImpliedZeros = (graph: Graph): boolean =>
  graph.nodes.some((node) => impliesZeros.has(node.op.name) || node.regions.some(usesImpliedZeros));

/** The values of a graph in lanes, or why they cannot be compared. */
function evaluate(mode: Mode, graph: Graph, args: readonly HostVal[], lanes?: number): readonly Lanes[] | Outcome {
  const evaluator = new LaneEvaluator(mode, "check", lanes);
  const wants = evaluateGraph<Lanes>(
    graph,
    args.map((x) => evaluator.of(x)),
    (op, ins, attrs, regions) => evaluator.apply(op, ins, attrs, regions),
  );
  if (evaluator.isSpecial && usesImpliedZeros(graph)) return "zero times infinity";
  if (evaluator.isRounded) return "rounded";
  if (evaluator.isNearDiscontinuity) return "near a discontinuity";
  return wants.some(isVague) ? "vague" : wants;
}

/** Lanes enough for the bounds where few have found a difference. */
const manyLanes = 64;

function runWays(
  example: Pick<Example, "mode" | "graph" | "inputs">,
  what: string,
  only: (way: string) => boolean,
  extra: Readonly<Record<string, () => ReturnType<Run>>> = {},
): Outcome {
  const { mode, graph, inputs } = example;
  const wants = evaluate(mode, graph, inputs);
  if (typeof wants === "string") return wants;
  let outcome: Outcome = "held";
  const hold = (way: string, exact: boolean, run: () => ReturnType<Run>): void => {
    const name = `${what}${way}`;
    if (!only(name) || outcome !== "held") return;
    const got = attempt(name, run);
    if (!got) return;
    const all = (list: readonly Lanes[]): void => {
      for (const [i, want] of list.entries()) {
        const tolerance = mode === "exact" || exact ? () => 0 : toleranceOf(want);
        compare(name, i, got[i]!, want.lanes[0]!, tolerance);
      }
    };
    try {
      all(wants);
    } catch (error) {
      if (mode === "exact" || exact) throw error;
      const wide = evaluate(mode, graph, inputs, manyLanes);
      if (typeof wide === "string") outcome = wide;
      else all(wide);
    }
  };
  for (const [way, { run, exact }] of Object.entries(ways)) hold(way, exact, () => run(graph, inputs));
  for (const [way, run] of Object.entries(extra)) hold(way, false, run);
  return outcome;
}

function attempt(way: string, run: () => ReturnType<Run>): ReturnType<Run> {
  try {
    return run();
  } catch (error) {
    if (error instanceof Mismatch) throw error;
    throw new Mismatch(way, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** Cotangents of a graph's float results. */
function cotangentsOf(mode: Mode, graph: Graph): HostVal[] {
  return graph.results.filter(isFloat).map(({ aval }, i) => {
    const { data, ...rest } = randomArray(randomOf(`cotangent ${i}`), aval.dtype, aval.shape.map(Number), [-2, 2]);
    return mode === "exact"
      ? hostVal({ ...rest, data: (data as Float64Array).map(Math.round) })
      : hostVal({ ...rest, data });
  });
}

/** Ways that every graph takes; of the others each graph takes about one in five. */
const always: ReadonlySet<string> = new Set([
  "passes, one by one",
  "reference, loops",
  "cpu",
  "cpu, eager",
  "gradient, cpu",
  "gradient, by an eager tape",
]);

/** The ways that the graph of a seed takes. */
export function waysOf(seed: number): (way: string) => boolean {
  return (way) => always.has(way) || randomOf(`${seed} ${way}`)() < 0.2;
}

/**
 * Compares a graph, then its gradient, in every way. `only` picks ways by name.
 * @throws Mismatch
 */
export function checkExample(example: Example, only: (way: string) => boolean = () => true): Findings {
  const value = runWays(example, "", only);
  return { value, gradient: value === "held" ? checkGradient(example, only) : value };
}

function checkGradient({ mode, graph, inputs }: Example, only: (way: string) => boolean): Outcome {
  const gs = cotangentsOf(mode, graph);
  if (gs.length === 0 || !inputs.some(isFloat)) return "nothing";
  let gradient: Graph;
  try {
    gradient = transforms.current.vjp(graph);
  } catch (error) {
    if (error instanceof Error && /has no gradient|no derivative/.test(error.message)) return "no gradient";
    throw new Mismatch("gradient of the graph", error instanceof Error ? (error.stack ?? "") : String(error));
  }
  const all: Example = { mode, graph: gradient, inputs: [...inputs, ...gs] };
  return runWays(all, "gradient, ", only, {
    "by the walk of single ops' tests": () => ownGradient(graph, inputs, gs),
    "by an eager tape": () => taped(graph, inputs, gs, { control: "JavaScript", isTraced: false }),
    "by an eager tape, ops with regions": () => taped(graph, inputs, gs, { control: "ops", isTraced: false }),
    "by a traced tape": () => taped(graph, inputs, gs, { control: "ops", isTraced: true }),
  });
}

/** The same rules, applied by the small walk that tests of single ops have. It also asks for what leads nowhere. */
function ownGradient(graph: Graph, inputs: readonly HostVal[], gs: readonly HostVal[]): ReturnType<Run> {
  if (graph.nodes.some((node) => isNoRule(node.op.vjp))) return undefined;
  const rest = [...gs];
  const cotangents = graph.results.map((y) => (isFloat(y) ? rest.shift()! : null));
  const found = pullBackGraph(hostOps, graph, cotangents, inputs);
  // boundary: hostOps is over HostVals
  return inputs.flatMap((x, i) => (isFloat(x) ? [(found[i] as HostVal | null) ?? zerosLike(x)] : []));
}

const zerosLike = (x: HostVal): HostVal => hostVal({ ...x, data: x.data.slice().fill(0 as never) as HostVal["data"] });
