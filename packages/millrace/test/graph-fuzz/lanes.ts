// Values with their errors: what the definition gives, and what it gives where every rounding goes another way.
import { type Aval, dtypes } from "@millrace/core/backend";
import { type AnyOp, type Attrs, countOf, type Graph, type OpName, type PrimitiveName } from "@millrace/core/graph";
import { randomOf } from "../../../core/src/testing/data.js";
import { applyReference, type HostVal, hostVal, interpreter } from "../../../core/src/testing/host.js";

/** Which graphs are made, and how results are compared: by their bits, or within a running error bound. */
export type Mode = "exact" | "numeric";

/** One value in every lane. Lane 0 is the definition's; in the others each result was moved by about its rounding error. */
export interface Lanes {
  readonly aval: Aval;
  readonly lanes: readonly HostVal[];
}

/** Functions whose kernels approximate: their results are never compared by bits, however round they are. */
const approximated: ReadonlySet<string> = new Set<PrimitiveName>([
  "atan2",
  "cos",
  "erf",
  "exp",
  "expm1",
  "log",
  "log1p",
  "logistic",
  "pow",
  "rsqrt",
  "sin",
  "tan",
  "tanh",
]);

/** Ops that only choose, move or compare, although their kinds also add: they round nothing. */
const choosing: ReadonlySet<string> = new Set<PrimitiveName>([
  "abs",
  "max",
  "min",
  "neg",
  "optimizationBarrier",
  "reduceMax",
  "reduceMin",
  "reduceWindowMax",
  "reduceWindowMin",
]);

/** Float functions with steps: where a lane falls on another step, the graph is near a discontinuity. */
const stepped: ReadonlySet<string> = new Set<PrimitiveName>(["ceil", "floor", "round", "sign"]);

/**
 * Ops with zeros that nobody wrote, as padding is or a state to start from. Whether such a zero is multiplied or left out shows
 * where the other factor is infinite or NaN: 0 or NaN are both right.
 */
export const impliesZeros: ReadonlySet<string> = new Set<OpName>([
  "convFilterGrad",
  "convGeneral",
  "convInputGrad",
  "lstm",
  "lstmGrad",
]);

function rounds({ kind, name }: AnyOp): boolean {
  if (choosing.has(name) || stepped.has(name)) return false;
  if (name === "scatterAdd") return true;
  return !["cast", "compare", "constant", "effect", "index", "select", "shape"].includes(kind);
}

const addsUp = ({ kind, name }: AnyOp): boolean =>
  ["contract", "reduce", "scan", "window"].includes(kind) || name === "scatterAdd";

const epsilonOf = (x: HostVal): number => (x.dtype === "float64" ? 2 ** -52 : 2 ** -23);
/** Smaller numbers may count as zero. */
const tinyOf = (x: HostVal): number => (x.dtype === "float64" ? 2 ** -1021 : 2 ** -125);

const isFloat = (x: HostVal): boolean => dtypes[x.dtype].isFloat;

const isFinite = (x: HostVal): boolean => (x.data as Float64Array).every(Number.isFinite);

const absolute = (x: HostVal): HostVal =>
  isFloat(x) ? hostVal({ ...x, data: (x.data as Float64Array).map(Math.abs) }) : x;

/** How large what an op adds up is: its result on |operands|. */
function sizesOf(op: AnyOp, ins: readonly HostVal[], attrs: Attrs): readonly HostVal[] {
  return applyReference(op, ins.map(absolute), attrs);
}

/** Rounding errors that one result of an op may be from another: kernels of functions are within a few. */
const unitsOfRounding = 8;

/** In exact graphs floats are multiples of this, and what is added up is below the limit: no order of sums rounds. */
const grain = 2 ** -4;
const exactLimit = 2 ** 14;

const isRound = (x: number): boolean =>
  !Number.isFinite(x) || (Math.abs(x) <= exactLimit && Number.isInteger(x / grain));

/** Evaluates graphs in lanes, and notes what makes them unfit to compare. */
export class LaneEvaluator {
  /** Whether lanes took different branches or steps. */
  isNearDiscontinuity = false;
  /** Whether something was rounded, which an exact graph must not. */
  isRounded = false;
  /** Whether anything was NaN or infinite. */
  isSpecial = false;
  private readonly count: number;
  private readonly mode: Mode;
  private readonly random: () => number;

  constructor(mode: Mode, seed: string, count: number = mode === "exact" ? 1 : 4) {
    this.mode = mode;
    this.count = count;
    this.random = randomOf(`lanes ${seed}`);
  }

  /** The same value in every lane. */
  of(value: HostVal): Lanes {
    return { aval: value.aval, lanes: Array.from({ length: this.count }, () => value) };
  }

  apply(op: AnyOp, ins: readonly Lanes[], attrs: Attrs, regions: readonly Graph[]): readonly Lanes[] {
    const steps: HostVal[] = [];
    const all = Array.from({ length: this.count }, (_, lane) => {
      let at = 0;
      const run = interpreter((inner, args, innerAttrs) => {
        const outs = applyReference(inner, args, innerAttrs);
        if (lane === 0 && !this.isSpecial) this.isSpecial = outs.some((y) => isFloat(y) && !isFinite(y));
        if (this.mode === "exact") this.noteRounding(inner, args, innerAttrs, outs);
        for (const y of outs) {
          if (isFloat(y) && !stepped.has(inner.name)) continue;
          if (lane === 0) steps.push(y);
          else if (!isSame(steps[at++], y)) this.isNearDiscontinuity = true;
        }
        return lane === 0 ? outs : this.moved(inner, args, innerAttrs, outs);
      });
      return run(
        op,
        ins.map((x) => x.lanes[lane]!),
        attrs,
        regions,
      );
    });
    return all[0]!.map((y, i) => ({ aval: y.aval, lanes: all.map((outs) => outs[i]!) }));
  }

  private noteRounding(op: AnyOp, ins: readonly HostVal[], attrs: Attrs, outs: readonly HostVal[]): void {
    if (!outs.some(isFloat)) return;
    const sizes = addsUp(op) ? sizesOf(op, ins, attrs) : [];
    const all = [...outs, ...sizes].filter(isFloat);
    if (approximated.has(op.name) || !all.every((y) => (y.data as Float64Array).every(isRound))) this.isRounded = true;
  }

  /** Results moved at random within their rounding errors. */
  private moved(op: AnyOp, ins: readonly HostVal[], attrs: Attrs, outs: readonly HostVal[]): readonly HostVal[] {
    if (!rounds(op)) return outs;
    const sizes = addsUp(op) ? sizesOf(op, ins, attrs) : outs;
    return outs.map((y, i) => {
      if (!isFloat(y)) return y;
      const unit = unitsOfRounding * epsilonOf(y);
      const size = sizes[i]!.data;
      const data = (y.data as Float64Array).map((v, k) => {
        if (!Number.isFinite(v)) return v;
        const most = Math.abs(v) + Math.abs(Number(size[k]));
        return v + (2 * this.random() - 1) * (Number.isFinite(most) ? unit * most : 0);
      });
      return hostVal({ ...y, data });
    });
  }
}

function isSame(x: HostVal | undefined, y: HostVal): boolean {
  return x !== undefined && x.data.length === y.data.length && x.data.every((v, i) => Object.is(v, y.data[i]));
}

/** How far an element may be from that of lane 0: the errors of both sides, whose size the other lanes show. */
export function toleranceOf({ lanes }: Lanes): (want: number, i: number) => number {
  const [first] = lanes;
  const [epsilon, tiny] = [epsilonOf(first!), tinyOf(first!)];
  return (want, i) => {
    const moves = lanes.map((lane) => Math.abs(Number(lane.data[i]) - want));
    return 4 * Math.max(...moves) + 2 * unitsOfRounding * epsilon * Math.abs(want) + tiny;
  };
}

/** Whether the lanes of a value are so far apart that comparing says nothing, or differ in what is not a number. */
export function isVague({ lanes }: Lanes): boolean {
  const [first] = lanes;
  if (!isFloat(first!)) return false;
  return lanes.some((lane) =>
    (lane.data as Float64Array).some((v, i) => {
      const want = Number(first!.data[i]);
      if (!Number.isFinite(want) || !Number.isFinite(v)) return !Object.is(v, want);
      return Math.abs(v - want) > 1e-3 * (Math.abs(want) + sizeOf(first!));
    }),
  );
}

const sizeOf = (x: HostVal): number => {
  const finite = (x.data as Float64Array).filter(Number.isFinite).map(Math.abs);
  return finite.length > 0 ? Math.max(...finite) : 0;
};

/** The first row of a value. */
export function firstRow({ aval, lanes }: Lanes): Lanes {
  const shape = aval.shape.slice(1).map(Number);
  const { dtype } = aval;
  const rows = lanes.map((x) => hostVal({ dtype, shape, data: x.data.slice(0, countOf(shape)) }));
  return { aval: { dtype, shape }, lanes: rows };
}
