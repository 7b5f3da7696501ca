// Random graphs. What an op takes is read off the table of its cases, so that a new op is in the next graphs by itself.
import { type DType, dtypes } from "@millrace/core/backend";
import {
  type AnyOp,
  type Attrs,
  coreOps,
  countOf,
  findOp,
  type Graph,
  GraphBuilder,
  hostArray,
  isElementwise,
  remember,
  toElement,
  type Value,
} from "@millrace/core/graph";
import type { Cases, Sample } from "../../../core/src/ir/cases.js";
import * as tables from "../../../core/src/ops/cases.gen.js";
import { randomOf } from "../../../core/src/testing/data.js";
import { type HostVal, hostVal, inferStatic } from "../../../core/src/testing/host.js";
import { isMillraceError } from "../../../core/src/types/errors.js";
import { byHand } from "./by-hand.js";
import { impliesZeros, isVague, LaneEvaluator, type Lanes, type Mode } from "./lanes.js";

/** A graph, and what it is run on. */
export interface Example {
  readonly mode: Mode;
  readonly graph: Graph;
  readonly inputs: readonly HostVal[];
}

/** A value of the graph that is being made, and what it is at run time. */
export interface Entry extends Lanes {
  readonly value: Value;
}

/** What was tried does not fit into this graph: another try is made. */
class Unfit extends Error {}

type Domain = readonly [number, number];

/** Elements of the largest value. */
const mostElements = 600;

const casesByName: ReadonlyMap<string, Cases> = new Map(Object.values(tables).map((t: Cases) => [t.op.name, t]));

/** The samples of an op that are small enough, or none where it is made by hand. */
function samplesOf(op: AnyOp): readonly Sample<Attrs>[] {
  const all = op.name in byHand ? [] : (casesByName.get(op.name)?.samples ?? []);
  return all.filter(({ ins }) => ins.every((shape) => countOf(shape) <= mostElements / 4));
}

/** Ops that no graph begins with, and why. */
const leftOut: Readonly<Record<string, string>> = {
  whileLoopBack: "what the gradient of whileLoop is made of: it is in the gradients of graphs that have loops",
};

/** Ops that no graph has, without a reason: there must be none. */
export function missingOps(): string[] {
  const isIn = (op: AnyOp): boolean => samplesOf(op).length > 0 || op.name in byHand || op.name in leftOut;
  return coreOps.filter((op) => !isIn(op)).map((op) => op.name);
}

const madeBySample = coreOps.filter((op) => samplesOf(op).length > 0);
const elementwise = madeBySample.filter(isElementwise);
const madeByHand = Object.keys(byHand);

/** How often graphs take what kind of value. */
const dtypeWeights: Readonly<Partial<Record<DType, number>>> = { float32: 12, float64: 3, int32: 4, bool: 2 };

/** Narrow floats round after every op, a fused one less often: narrow.test.ts has them. */
const fuzzedDTypes = (Object.keys(dtypes) as DType[]).filter((dtype) => dtypes[dtype].computesIn === undefined);

/** Makes one graph, and the graphs of regions in it. */
export class Generator {
  readonly random: () => number;
  readonly mode: Mode;
  readonly builder: GraphBuilder = new GraphBuilder();
  readonly inputs: HostVal[] = [];
  private readonly pool: Entry[] = [];
  private readonly used: Set<Value> = new Set();
  private readonly evaluator: LaneEvaluator;
  private readonly seed: string;
  private readonly depth: number;
  /** Whether some inputs are NaN, infinite or −0. */
  private readonly isSpecial: boolean;
  /** The sizes that shapes are made of. */
  private readonly sizes: readonly number[];

  constructor(mode: Mode, seed: string, outer?: Generator) {
    this.mode = mode;
    this.seed = seed;
    this.depth = outer ? outer.depth + 1 : 0;
    this.random = randomOf(`graph ${seed}`);
    this.evaluator = new LaneEvaluator(mode, seed);
    this.isSpecial = outer?.isSpecial ?? this.chance(0.08);
    this.sizes = [1, 2 + this.below(3), 2 + this.below(6), this.chance(0.1) ? 0 : 3];
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }
  chance(p: number): boolean {
    return this.random() < p;
  }
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Unfit("nothing to pick from");
    return list[this.below(list.length)]!;
  }

  /** A generator of a region. */
  inner(): Generator {
    if (this.depth >= 2) throw new Unfit("regions are deep enough");
    return new Generator(this.mode, `${this.seed}.${this.below(2 ** 30)}`, this);
  }

  /** A parameter of a region, which has these values at its first run. */
  paramLike({ aval, lanes }: Lanes): Entry {
    return this.keep({ aval, lanes, value: this.builder.param(aval) });
  }

  /** Applies an op, if what it gives can be compared. */
  apply(op: AnyOp, ins: readonly Entry[], attrs: Attrs = {}, regions: readonly Graph[] = []): Entry[] {
    const { evaluator } = this;
    evaluator.isNearDiscontinuity = false;
    evaluator.isRounded = false;
    const outs = evaluator.apply(op, ins, attrs, regions);
    if (evaluator.isNearDiscontinuity) throw new Unfit("near a discontinuity");
    if (evaluator.isRounded) throw new Unfit("rounded");
    for (const y of outs) {
      if (y.lanes[0]!.data.length > mostElements) throw new Unfit("large");
      if (this.mode === "numeric" && isVague(y)) throw new Unfit("vague");
      if (this.mode === "numeric" && isHuge(y.lanes[0]!)) throw new Unfit("huge");
    }
    const values = this.builder.apply(
      op,
      ins.map((x) => x.value),
      attrs,
      regions,
    );
    for (const x of ins) this.used.add(x.value);
    return values.map((value, i) => this.keep({ ...outs[i]!, value }));
  }

  applyNamed(name: string, ins: readonly Entry[], attrs: Attrs = {}, regions: readonly Graph[] = []): Entry[] {
    return this.apply(findOp(name)!, ins, attrs, regions);
  }

  private keep(entry: Entry): Entry {
    this.pool.push(entry);
    return entry;
  }

  /** New data, as an input, or as a constant where a region cannot have one. */
  fresh(dtype: DType, shape: readonly number[], domain?: Domain): Entry {
    const data = this.data(dtype, shape, domain);
    if (this.depth > 0 || this.chance(0.25))
      return this.applyNamed("constant", [], { dtype, shape, data: data.data })[0]!;
    this.inputs.push(data);
    return this.keep({ ...this.evaluator.of(data), value: this.builder.param(data.aval) });
  }

  private data(dtype: DType, shape: readonly number[], domain?: Domain): HostVal {
    const array = hostArray(dtype, shape);
    const { isFloat, isSigned } = dtypes[dtype];
    const [low, high] = domain ?? (isFloat ? [-2.5, 2.5] : [isSigned ? -3 : 0, 4]);
    const step = Math.floor(high) - Math.ceil(low) >= 1 ? 1 : 0.25;
    const [least, most] = [Math.ceil(low / step), Math.floor(high / step)];
    const isWide = !isFloat && !domain && this.chance(0.05);
    for (let i = 0; i < array.data.length; i++) {
      const round = step * (least + this.below(most - least + 1));
      const number = isFloat && this.mode === "numeric" ? low + this.random() * (high - low) : round;
      const wide = isWide ? Math.floor((this.random() - 0.5) * 2 ** 32) : number;
      const special = isFloat && this.isSpecial && this.chance(0.1);
      array.data[i] = toElement(dtype, special ? this.pick([Number.NaN, Infinity, -Infinity, -0, 0]) : wide);
    }
    return hostVal(array);
  }

  anyDType(): DType {
    const all = fuzzedDTypes;
    return weighted(all, (d) => dtypeWeights[d] ?? 1, this.random());
  }

  anyShape(): number[] {
    return Array.from({ length: this.below(4) }, () => this.pick(this.sizes));
  }

  /** A value that was made before, rather a late one. */
  any(fits: (x: Entry) => boolean = () => true): Entry {
    const list = this.pool.filter(fits);
    if (list.length === 0) throw new Unfit("no such value");
    const back = this.chance(0.6) ? this.below(Math.min(4, list.length)) : this.below(list.length);
    return list[list.length - 1 - back]!;
  }

  anyOf(dtype: DType, domain?: Domain): Entry {
    if (this.pool.some((x) => x.aval.dtype === dtype) && !this.chance(0.15))
      return this.any((x) => x.aval.dtype === dtype);
    return this.fresh(dtype, this.anyShape(), domain);
  }

  /** A value of this aval within the domain: one that exists, changed until it fits, or a new one. */
  fit(dtype: DType, shape: readonly number[], domain?: Domain): Entry {
    if (this.chance(0.1)) return this.scalar(dtype, shape, domain);
    if (this.pool.length === 0 || this.chance(0.15)) return this.fresh(dtype, shape, domain);
    try {
      return this.within(this.shaped(this.ofDType(dtype), shape), domain);
    } catch (error) {
      if (error instanceof Unfit) return this.fresh(dtype, shape, domain);
      throw error;
    }
  }

  /** One number stretched: what algebra looks for. */
  private scalar(dtype: DType, shape: readonly number[], domain?: Domain): Entry {
    const list = [0, 1, 2, -1, 0.5].filter((x) => !domain || (x >= domain[0] && x <= domain[1]));
    const number = list.length > 0 ? this.pick(list) : domain![0];
    return this.stretched(this.number(dtype, number), shape);
  }

  /** A rank-0 constant. */
  number(dtype: DType, value: number | bigint): Entry {
    const { data } = hostArray(dtype, []);
    data[0] = toElement(dtype, value);
    return this.applyNamed("constant", [], { dtype, shape: [], data })[0]!;
  }

  private stretched(x: Entry, shape: readonly number[]): Entry {
    return shape.length === 0 ? x : this.applyNamed("broadcastInDim", [x], { shape, dims: [] })[0]!;
  }

  private ofDType(dtype: DType): Entry {
    const same = this.pool.filter((x) => x.aval.dtype === dtype);
    if (same.length > 0 && !this.chance(0.1)) return this.any((x) => x.aval.dtype === dtype);
    return this.applyNamed("cast", [this.any()], { dtype })[0]!;
  }

  private shaped(x: Entry, shape: readonly number[]): Entry {
    const from = x.aval.shape.map(Number);
    const [had, need] = [countOf(from), countOf(shape)];
    if (from.join() === shape.join()) return x;
    const stretch = (y: Entry, to: readonly number[], dims: number[]): Entry =>
      this.applyNamed("broadcastInDim", [y], { shape: to, dims })[0]!;
    // Where its sizes are the last ones, or lie in order among them, it is broadcast.
    const dims: number[] = [];
    for (const [axis, size] of shape.entries()) if (size === from[dims.length]) dims.push(axis);
    if (dims.length === from.length && had > 0) return stretch(x, shape, dims);
    if (had === 0 || need === 0) throw new Unfit("nothing to reshape");
    if (had === need) return this.applyNamed("reshape", [x], { shape })[0]!;
    const reshape = (y: Entry, to: readonly number[]): Entry => this.applyNamed("reshape", [y], { shape: to })[0]!;
    const times = Math.ceil(need / had);
    const flat = times > 1 ? reshape(stretch(reshape(x, [had]), [times, had], [1]), [times * had]) : reshape(x, [had]);
    const start = this.below(times * had - need + 1);
    const cut = { start: [start], limit: [start + need], strides: [1] };
    return reshape(this.applyNamed("slice", [flat], cut)[0]!, shape);
  }

  private within(x: Entry, domain?: Domain): Entry {
    if (!domain || x.aval.dtype === "bool") return x;
    const [low, high] = domain;
    const inside = x.lanes.every((lane) =>
      Array.from<number | bigint>(lane.data).every((v) => Number(v) >= low && Number(v) <= high),
    );
    if (inside) return x;
    const { dtype } = x.aval;
    const shape = x.aval.shape.map(Number);
    const { isFloat } = dtypes[dtype];
    const [least, most] = isFloat ? domain : [Math.ceil(low), Math.floor(high)];
    const bound = (to: number): Entry => this.stretched(this.number(dtype, to), shape);
    const [above] = this.applyNamed("max", [x, bound(least)]);
    return this.applyNamed("min", [above!, bound(most)])[0]!;
  }

  /** One more node, and what it needs. */
  step(): void {
    const roll = this.random();
    if (roll < 0.14) byHand[this.pick(madeByHand)]!(this);
    else this.bySample(roll < 0.45 ? this.pick(elementwise) : this.pick(madeBySample));
  }

  private bySample(op: AnyOp): void {
    if (this.isSpecial && impliesZeros.has(op.name)) throw new Unfit("zero times infinity");
    const sample = this.pick(samplesOf(op));
    const [first] = sample.ins;
    // An elementwise op takes any shape: that of a value that is there.
    const shape = isElementwise(op) && first ? this.any().aval.shape.map(Number) : undefined;
    const wanted = this.chance(0.5) ? "float32" : this.anyDType();
    const accepted = acceptedBy(op);
    const dtype = accepted.includes(wanted) ? wanted : this.pick(accepted);
    const ins = sample.ins.map((own, i) => {
      const given = sample.dtypes?.[i] ?? "*";
      return this.fit(given === "*" ? dtype : given, shape ?? own, domainOf(sample, i));
    });
    this.apply(op, ins, sample.attrs);
  }

  /** Several steps, of which those that do not fit are dropped. */
  steps(count: number): void {
    for (let i = 0; i < count; i++) {
      try {
        this.step();
      } catch (error) {
        const isRefused = isMillraceError(error) && ["E_DTYPE", "E_SHAPE", "E_ARGUMENT"].includes(error.code);
        if (!(error instanceof Unfit) && !isRefused) throw error;
      }
    }
  }

  /** Values that nothing reads, at most `count`, or any. */
  leaves(count: number): Entry[] {
    const list = this.pool.filter((x) => !this.used.has(x.value) && x.value.node !== null);
    return list.length > 0 ? list.slice(-count) : [this.any()];
  }

  /** x · Σ y, or zeros where there is no y. */
  timesSumOf(x: Entry, y: Entry | undefined): Entry {
    const { dtype } = x.aval;
    const shape = x.aval.shape.map(Number);
    const sum = y && this.applyNamed("reduceSum", [y], { axes: y.aval.shape.map((_, i) => i) })[0]!;
    const factor = sum ? this.applyNamed("cast", [sum], { dtype })[0]! : this.number(dtype, 0);
    return this.applyNamed("mul", [x, this.stretched(factor, shape)])[0]!;
  }

  /** `params` gives the parameters another order. */
  finish(results: readonly Entry[], params?: readonly Entry[]): Graph {
    const values = (list: readonly Entry[]): Value[] => list.map((x) => x.value);
    return this.builder.finish(values(results), "traced", params && values(params));
  }
}

const acceptedDTypes = new Map<AnyOp, readonly DType[]>();

/** The dtypes that an op takes where its samples leave them open; all where they do not. */
function acceptedBy(op: AnyOp): readonly DType[] {
  return remember(acceptedDTypes, op, () => {
    const all = fuzzedDTypes;
    const { ins, attrs, dtypes: given } = samplesOf(op)[0]!;
    const accepted = all.filter((dtype) => {
      try {
        inferStatic(
          op,
          ins.map((shape, i) => ({ dtype: given?.[i] && given[i] !== "*" ? given[i] : dtype, shape })),
          attrs,
        );
        return true;
      } catch (error) {
        if (isMillraceError(error, "E_DTYPE")) return false;
        throw error;
      }
    });
    return accepted.length > 0 ? accepted : all;
  });
}

function domainOf({ domain }: Sample<Attrs>, operand: number): Domain | undefined {
  if (domain === undefined) return undefined;
  // boundary: a list of two numbers is one domain, a list of lists one for each operand
  return typeof domain[0] === "number" ? (domain as Domain) : (domain as readonly Domain[])[operand];
}

function weighted<T>(list: readonly T[], weight: (x: T) => number, roll: number): T {
  const tickets = list.flatMap((x) => Array.from({ length: weight(x) }, () => x));
  return tickets[Math.floor(roll * tickets.length)]!;
}

/** Values whose squares would be infinite say little. */
const isHuge = (x: HostVal): boolean =>
  dtypes[x.dtype].isFloat && (x.data as Float64Array).some((v) => Number.isFinite(v) && Math.abs(v) > 1e6);

/** The graph of a seed: even ones are exact, odd ones numeric. */
export function generate(seed: number): Example {
  const mode = seed % 2 === 0 ? "exact" : "numeric";
  const g = new Generator(mode, `${seed}`);
  for (let i = 1 + g.below(3); i > 0; i--) g.fresh(g.anyDType(), g.anyShape());
  g.fresh("float32", g.anyShape());
  g.steps(3 + g.below(16));
  const results = g.leaves(5);
  if (g.chance(0.3)) results.push(g.any());
  return { mode, graph: g.finish(results), inputs: g.inputs };
}
