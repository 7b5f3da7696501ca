// Sizes that are known when a model runs: read from the shapes of its inputs by operators.
import { MillraceError } from "@millrace/core";
import type { Atom, Dim, Term } from "@millrace/core/graph";
import type { BuiltinOperator } from "../schema/enums.js";
import type { OptionsName } from "../schema/tables.js";
import type { Matcher, Reshaped } from "./matcher.js";
import { indices, type Operand, type Step, step, temporary } from "./steps.js";

/** A list of sizes as an int32 operand. `reshape` says that one unknown size may be written -1. */
export function sizesOperand(m: Matcher, shape: readonly Dim[], reshape: boolean): Reshaped {
  const unknown = shape.filter((d) => typeof d !== "number").length;
  if (unknown === 0 || (reshape && unknown === 1 && !shape.includes(0))) {
    const sizes = shape.map((d) => (typeof d === "number" ? d : -1));
    return { steps: [], operand: indices(sizes, "shape") };
  }
  const steps: Step[] = [];
  const parts = shape.map((d) => sizeOf(m, d, steps));
  const all = temporary("int32", [shape.length]);
  const options = { axis: 0, fusedActivationFunction: "NONE" } as const;
  steps.push(step("CONCATENATION", parts, all, "ConcatenationOptions", options));
  return { steps, operand: all };
}

/** One size as an operand of shape [1]; what it takes is added to `steps`. */
export function sizeOf(m: Matcher, d: Dim, steps: Step[]): Operand {
  if (typeof d === "number") return indices([d], "size");
  return d.terms.map((term) => termOf(m, term, steps)).reduce((a, b) => combine("ADD", "AddOptions", a, b, steps));
}

function termOf(m: Matcher, { coefficient, atoms }: Term, steps: Step[]): Operand {
  const factors = atoms.map((atom) => atomOf(m, atom, steps));
  const all = coefficient === 1 && factors.length > 0 ? factors : [indices([coefficient], "size"), ...factors];
  return all.reduce((a, b) => combine("MUL", "MulOptions", a, b, steps));
}

const operators = {
  floorDiv: ["FLOOR_DIV", "FloorDivOptions"],
  mod: ["FLOOR_MOD", "FloorModOptions"],
  max: ["MAXIMUM", "MaximumMinimumOptions"],
  min: ["MINIMUM", "MaximumMinimumOptions"],
} as const satisfies Partial<Record<Atom["kind"], readonly [BuiltinOperator, OptionsName]>>;

function atomOf(m: Matcher, atom: Atom, steps: Step[]): Operand {
  if (atom.kind !== "symbol") {
    const [operator, table] = operators[atom.kind];
    return combine(operator, table, sizeOf(m, atom.a, steps), sizeOf(m, atom.b, steps), steps);
  }
  for (const { value } of m.prepared.inputs) {
    const { shape } = value.aval;
    const axis = shape.findIndex((d) => typeof d !== "number" && d.key === atom.name);
    if (axis < 0) continue;
    const [all, one] = [temporary("int32", [shape.length]), temporary("int32", [1])];
    steps.push(step("SHAPE", [value], all, "ShapeOptions", { outType: "INT32" }));
    const [begin, size] = [indices([axis], "begin"), indices([1], "size")];
    steps.push(step("SLICE", [all, begin, size], one, "SliceOptions", {}));
    return one;
  }
  throw new MillraceError("E_UNIMPLEMENTED", `convert: the size ${atom.name} is not the size of an input by itself`);
}

function combine(operator: BuiltinOperator, table: OptionsName, a: Operand, b: Operand, steps: Step[]): Operand {
  const result = temporary("int32", [1]);
  const isFusing = table === "AddOptions" || table === "MulOptions";
  steps.push(step(operator, [a, b], result, table, isFusing ? { fusedActivationFunction: "NONE" } : {}));
  return result;
}
