import type { Attrs } from "../ir/attrs.js";
import type { Cases, Edge, GradientEdge, Reject, RepairCase, Sample } from "../ir/cases.js";
import { inferOp, isNoRule } from "../ir/op.js";
import { offerRepair } from "../ir/repair.js";
import type { Backend } from "../runtime/backend.js";
import { type DType, dtypes } from "../types/dtype.js";
import { isMillraceError } from "../types/errors.js";
import { checkBatching } from "./batching.js";
import { describe, expectSame, fail, runningBound, ulps } from "./compare.js";
import { arrayOf, dtypesOf, isVaried, operandsOf } from "./data.js";
import { Runner } from "./forward.js";
import { checkGradient, checkGradientAt, checkSecondGradient } from "./gradient.js";
import { applyHost, type HostVal, inferStatic } from "./host.js";
import { checkSymbolicGradient } from "./symbolic.js";

/** One fact about an op. `run` throws a CheckError, or rejects with one, where it does not hold. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Elements of all operands together, up to which second derivatives are checked: they take many evaluations. */
const secondGradientLimit = 64;

/**
 * Everything that a table of cases says of an op, as checks: its definition on edges and rejects; first and second
 * derivatives against finite differences, and for sizes that are symbols; batching against a loop; and on each backend,
 * for every dtype that the op accepts, eager and graph execution against the definition.
 *
 * @param table the op's cases
 * @param backends where to run the op; none checks the definition and the rules alone
 */
export function testOp(table: Cases, backends: readonly Backend[] = []): Check[] {
  return [
    ...numbered("edge", table.edges, (edge) => checkEdge(table, edge)),
    ...numbered("reject", table.reject, (reject) => checkReject(table, reject)),
    ...numbered("repair", table.repairs, (repair) => checkRepair(table, repair)),
    ...numbered("gradient edge", table.gradients, (edge) => checkGradientEdge(table, edge)),
    ...numbered("rules of sample", table.samples, (sample, i) => checkRules(table, sample, i)),
    ...backends.flatMap((backend) => testOpOn(table, new Runner(backend))),
  ];
}

/** One check for each entry of a table. */
function numbered<T>(
  what: string,
  list: readonly T[] | undefined,
  run: (item: T, index: number) => void | Promise<void>,
): Check[] {
  return (list ?? []).map((item, i) => ({ name: `${what} ${i}`, run: async () => run(item, i) }));
}

/** The checks that run the op on a backend. */
export function testOpOn(table: Cases, runner: Runner): Check[] {
  return [
    ...numbered(`${runner.name}: edge`, table.edges, (edge) => checkEdgeOn(table, edge, runner)),
    ...numbered(`${runner.name}: sample`, table.samples, (sample, i) => checkSampleOn(table, sample, i, runner)),
  ];
}

/** The dtypes that a sample runs in: all that the op accepts where one is varied. */
function acceptedBy({ op }: Cases, sample: Sample<Attrs>): DType[] {
  const all: DType[] = isVaried(sample) ? (Object.keys(dtypes) as DType[]) : ["float32"];
  const accepted = all.filter((dtype) => {
    const types = dtypesOf(sample, dtype);
    try {
      inferStatic(
        op,
        sample.ins.map((shape, i) => ({ dtype: types[i]!, shape })),
        sample.attrs,
      );
      return true;
    } catch (error) {
      if (isMillraceError(error, "E_DTYPE") && isVaried(sample)) return false;
      throw error;
    }
  });
  return accepted.length > 0 ? accepted : fail(`${op.name}: no dtype is accepted for [${sample.ins.join("], [")}]`);
}

const seedOf = (table: Cases, index: number, lane = 0): string => `${table.op.name} ${index} ${lane}`;

function checkRules(table: Cases, sample: Sample<Attrs>, index: number): void {
  const { op } = table;
  const accepted = acceptedBy(table, sample);
  const [first] = accepted;
  const float = accepted.find((d) => d === "float64") ?? first!;
  const operands = (lane = 0): HostVal[] => operandsOf(sample, float, seedOf(table, index, lane));
  const outs = applyHost(op, operands(), sample.attrs);
  const differentiable = sample.smooth !== false && !isNoRule(op.vjp) && sample.ins.length > 0;
  if (
    differentiable &&
    [...operands(), ...outs].every((x) => x.dtype !== "float32") &&
    outs.some((y) => y.dtype === "float64")
  ) {
    checkGradient(op, operands(), sample.attrs);
    checkSymbolicGradient(op, operands(), sample.attrs);
    const size = [...operands(), ...outs].reduce((n, x) => n + x.data.length, 0);
    if (size <= secondGradientLimit) checkSecondGradient(op, operands(), sample.attrs);
  }
  if (!isNoRule(op.batch) && sample.ins.length > 0)
    checkBatching(op, [operands(0), operands(1), operands(2)], sample.attrs);
}

async function checkSampleOn(table: Cases, sample: Sample<Attrs>, index: number, runner: Runner): Promise<void> {
  const { op } = table;
  for (const dtype of acceptedBy(table, sample)) {
    const ins = operandsOf(sample, dtype, seedOf(table, index));
    const want = applyHost(op, ins, sample.attrs);
    const bound = runningBound(op, ins, sample.attrs);
    for (const mode of ["eager", "graph"] as const) {
      const got = await runner[mode](op, ins, sample.attrs);
      const what = `${mode} ${describe(op, ins, sample.attrs)}`;
      for (const [i, y] of want.entries()) expectSame(what, got[i]!, y, bound(i));
    }
  }
}

/** The operands of an edge, and its wanted results in the shapes that `infer` gives. */
function readEdge({ op }: Cases, edge: Edge<Attrs>): { ins: HostVal[]; wants: HostVal[] } {
  const ins = edge.ins.map((content, i) => arrayOf(content, edge.dtypes?.[i] ?? "float32"));
  const outs = inferStatic(
    op,
    ins.map((x) => x.aval),
    edge.attrs,
  );
  // boundary: `want` lists the results of an op that has several
  const contents = (outs.length > 1 ? edge.want : [edge.want]) as readonly Edge<Attrs>["ins"][number][];
  return { ins, wants: outs.map(({ dtype, shape }, i) => arrayOf(contents[i]!, dtype, shape.map(Number))) };
}

function expectEdge(
  table: Cases,
  edge: Edge<Attrs>,
  ins: readonly HostVal[],
  got: readonly HostVal[],
  wants: readonly HostVal[],
): void {
  const what = `edge ${describe(table.op, ins, edge.attrs)}`;
  for (const [i, y] of wants.entries()) expectSame(what, got[i]!, y, ulps(y.dtype, 4), true);
}

function checkEdge(table: Cases, edge: Edge<Attrs>): void {
  const { ins, wants } = readEdge(table, edge);
  expectEdge(table, edge, ins, applyHost(table.op, ins, edge.attrs), wants);
}

async function checkEdgeOn(table: Cases, edge: Edge<Attrs>, runner: Runner): Promise<void> {
  const { ins, wants } = readEdge(table, edge);
  for (const mode of ["eager", "graph"] as const)
    expectEdge(table, edge, ins, await runner[mode](table.op, ins, edge.attrs), wants);
}

function checkReject({ op }: Cases, reject: Reject<Attrs>): void {
  const ins = reject.ins.map((shape, i) => ({ dtype: reject.dtypes?.[i] ?? ("float32" as const), shape }));
  try {
    inferOp(op, ins, reject.attrs, [], []);
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    if (error.rule !== reject.code) fail(`${op.name}: breaks ${error.rule}, should break ${reject.code}`);
    return;
  }
  fail(`${op.name}: ${reject.code} is not enforced on [${reject.ins.join("], [")}]`);
}

function checkRepair({ op }: Cases, repair: RepairCase<Attrs>): void {
  const offered = offerRepair(
    op,
    repair.ins.map((shape) => ({ dtype: "float32", shape })),
    repair.attrs,
  );
  if (offered !== repair.want) fail(`${op.name}: offers ${offered}, should offer ${repair.want}`);
}

function checkGradientEdge({ op }: Cases, edge: GradientEdge<Attrs>): void {
  const ins = edge.ins.map((content) => arrayOf(content, "float64"));
  const wants = edge.want.map((content, i) => arrayOf(content, "float64", ins[i]!.shape));
  checkGradientAt(op, ins, edge.attrs, wants);
}
