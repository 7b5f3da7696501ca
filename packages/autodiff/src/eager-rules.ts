// The gradient rule of an op on tensors as one program: op by op it would write every constant and every step in full.
import {
  type AnyOp,
  type Attrs,
  type Aval,
  type Composite,
  engine,
  findOp,
  inferOp,
  internalComposite,
  isElementwise,
  makeOps,
  noRule,
  type Ops,
  remember,
  type TensorImpl,
  type Val,
  type VjpRule,
} from "@millrace/core/graph";
import type { Application } from "./backward.js";
import { applyToTensors } from "./recording.js";

/** The rule of an op for those cotangents that there are and those that are wanted, as an op of its own. */
interface Program {
  readonly op: Composite<string, Attrs>;
  /** The operands whose cotangents its results are. */
  readonly gives: readonly number[];
}

/** By op, cotangents and what is wanted; null where op by op is as good. */
const programs = new Map<AnyOp, Map<string, Program | null>>();

/**
 * The cotangents of an op's operands, by one program; undefined where that is no gain or not possible: then the rule is
 * applied op by op, which is what an outer tape has to see too.
 */
export function byProgram(
  { op, ins, attrs, regions, outs }: Application<TensorImpl>,
  gs: readonly (TensorImpl | null)[],
  wanted: readonly boolean[],
): readonly (TensorImpl | null)[] | undefined {
  if (!engine.isPlain() || regions.length > 0 || typeof op.vjp !== "function") return undefined;
  const key = `${gs.map((g) => (g ? 1 : 0)).join("")} ${wanted.map(Number).join("")}`;
  const known = remember(programs, op, () => new Map<string, Program | null>());
  let program = known.get(key);
  if (program === undefined) {
    program = programOf(op, attrs, gs, ins, outs, wanted);
    known.set(key, program);
  }
  if (program === null) return undefined;
  const operands = [...gs.filter((g) => g !== null), ...ins, ...outs];
  let made: readonly TensorImpl[];
  try {
    made = applyToTensors(program.op, operands, attrs, []);
  } catch {
    // Whatever it is, the rule itself says it better.
    return undefined;
  }
  const { gives } = program;
  return ins.map((_, i) => made[gives.indexOf(i)] ?? null);
}

/** How a rule takes what a program gets in a row. */
type RuleOn = (b: Ops, all: readonly Val[], attrs: Attrs) => readonly (Val | null)[];

function programOf(
  op: AnyOp,
  attrs: Attrs,
  gs: readonly (Val | null)[],
  ins: readonly Val[],
  outs: readonly Val[],
  wanted: readonly boolean[],
): Program | null {
  if (findOp(op.name) !== op) return null;
  // boundary: a node pairs an op with attributes of its own
  const vjp = op.vjp as VjpRule<Attrs>;
  const count = gs.filter((g) => g !== null).length;
  const rule: RuleOn = (b, all, a) => {
    let next = 0;
    const cotangents = gs.map((g) => (g ? all[next++]! : null));
    return vjp(b, cotangents, all.slice(count, count + ins.length), all.slice(count + ins.length), a, [], wanted);
  };
  const operands = [...gs.filter((g) => g !== null), ...ins, ...outs].map(({ aval }) => aval);
  let looked: Look;
  try {
    looked = look(rule, operands, attrs);
  } catch {
    return null;
  }
  const { gives, steps, isWhole } = looked;
  if (steps < 2 || !isWhole) return null;
  const made = (all: readonly (Val | null)[]): Val[] => {
    const given = all.flatMap((g, i) => (g === null ? [] : [i]));
    if (given.join() !== gives.join())
      throw new TypeError(`the gradient of ${op.name} is of other operands than before`);
    return all.filter((g) => g !== null);
  };
  const composite = internalComposite<Attrs>({
    name: op.name,
    version: op.version,
    arity: operands.length,
    many: true,
    ...(op.sizeAttrs ? { sizeAttrs: op.sizeAttrs } : {}),
    infer: (avals, a) => made(look(rule, avals, a).results).map((g) => g.aval),
    lower: (b, all, a) => made(rule(b, all, a)),
    vjp: noRule("it is never recorded"),
    batch: noRule("it is never recorded"),
  });
  return { op: composite, gives };
}

/** What a rule does with values of which only the avals are known. */
interface Look {
  readonly results: readonly (Val | null)[];
  readonly gives: readonly number[];
  /** Ops that one loop can be of. */
  readonly steps: number;
  /** Whether all ops are core's, and every result is made by one of them, and by itself. */
  readonly isWhole: boolean;
}

function look(rule: RuleOn, avals: readonly Aval[], attrs: Attrs): Look {
  let [steps, isCore] = [0, true];
  const b = makeOps<Val>((op, ins, a, regions) => {
    if (isElementwise(op) || op.kind === "shape" || op.kind === "reduce") steps++;
    isCore &&= findOp(op.name) === op && regions.length === 0 && !op.effect;
    const operands = ins.map((x) => x.aval);
    return inferOp(op, operands, a, regions, []).map((aval) => ({ aval }));
  });
  const operands = avals.map((aval) => ({ aval }));
  const results = rule(b, operands, attrs);
  const values = results.filter((g) => g !== null);
  const isWhole = isCore && new Set([...values, ...operands]).size === values.length + operands.length;
  return { results, gives: results.flatMap((g, i) => (g === null ? [] : [i])), steps, isWhole };
}
