// Are the generated checks any good? Each rule of each op is damaged in small ways, and some check must notice.
import type { Attr, Attrs } from "../src/ir/attrs.js";
import { formatAval, type Val } from "../src/ir/aval.js";
import type { Cases } from "../src/ir/cases.js";
import type { AnyOp } from "../src/ir/op.js";
import { transforms } from "../src/ir/transform.js";
import * as tables from "../src/ops/cases.gen.js";
import type { Ops } from "../src/ops/names.js";
import type { HostVal } from "../src/testing/host.js";
import { gradientGraph } from "../src/testing/rules.js";
import { testOp } from "../src/testing.js";
import type { TypedArray } from "../src/types/dtype.js";

transforms.current = { ...transforms.current, vjp: gradientGraph };

type RuleName = "lower" | "vjp" | "batch";
type Apply = (ins: readonly Val[], attrs?: Attrs, ...rest: []) => unknown;
/** A damaged way of applying one op inside a rule; undefined where the damage does not apply. */
type Damage = (apply: Apply, ins: readonly Val[], attrs: Attrs | undefined) => unknown;

const sameAval = (a: Val, b: Val): boolean => formatAval(a.aval) === formatAval(b.aval);
const commutative = ["add", "mul", "max", "min", "eq", "ne", "and", "or", "xor"];

/** Attributes with `change` made to each that it applies to; undefined where it applies to none. */
function changed(attrs: Attrs | undefined, change: (name: string, value: Attr) => Attr | undefined): Attrs | undefined {
  const others = Object.entries(attrs ?? {}).flatMap(([name, value]) => {
    const other = change(name, value);
    return other === undefined ? [] : [[name, other] as const];
  });
  return others.length > 0 ? { ...attrs, ...Object.fromEntries(others) } : undefined;
}

/** The last two operands trade places, where they can. */
function swapped(ins: readonly Val[]): readonly Val[] | undefined {
  const [x, y] = ins.slice(-2);
  return x && y && x !== y && sameAval(x, y) ? [...ins.slice(0, -2), y, x] : undefined;
}

const flipped = (attrs: Attrs | undefined): Attrs | undefined =>
  changed(attrs, (_, value) => (typeof value === "boolean" ? !value : undefined));
const onAnotherAxis = (attrs: Attrs | undefined): Attrs | undefined =>
  changed(attrs, (name, value) => (name === "axis" && typeof value === "number" ? Math.abs(value - 1) : undefined));
const withAnotherValue = (attrs: Attrs | undefined): Attrs | undefined =>
  changed(attrs, (name, value) =>
    name === "data" && ArrayBuffer.isView(value) ? oneMore(value as TypedArray) : undefined,
  );

function oneMore(data: TypedArray): TypedArray {
  return data instanceof BigInt64Array ? data.map((x) => x + 1n) : data.map((x) => x + 1);
}

const damages: Record<string, Damage> = {
  "with its operands swapped": (apply, ins, attrs) => {
    const other = swapped(ins);
    return other && apply(other, attrs);
  },
  "with a flipped attribute": (apply, ins, attrs) => {
    const other = flipped(attrs);
    return other && apply(ins, other);
  },
  "on another axis": (apply, ins, attrs) => {
    const other = onAnotherAxis(attrs);
    return other && apply(ins, other);
  },
  "with another value": (apply, ins, attrs) => {
    const other = withAnotherValue(attrs);
    return other && apply(ins, other);
  },
  "left out": (apply, ins, attrs) => {
    const whole = apply(ins, attrs) as Val;
    return ins.find((x) => whole.aval && sameAval(x, whole));
  },
};

/** Whether a damaged result is another one: a sum over no axes may as well be left out. Undefined while a graph is built. */
function differs(whole: unknown, damaged: unknown): boolean | undefined {
  const [a, b] = [whole, damaged].map((x) => (x as Partial<HostVal>).data);
  return a && b && a.some((x, i) => !Object.is(x, b[i]));
}

/** The ops with every use of `name` damaged. */
function damagedOps(b: Ops, name: string, damage: Damage): Ops {
  return new Proxy(b, {
    get(target, key: string) {
      const apply = target[key as keyof Ops] as unknown as Apply; // boundary: a mutant calls any op by its name
      if (key !== name) return apply;
      return (ins: readonly Val[], attrs?: Attrs, ...rest: []) => {
        const damaged = damage(apply, ins, attrs);
        return damaged === undefined || differs(apply(ins, attrs), damaged) === false
          ? apply(ins, attrs, ...rest)
          : damaged;
      };
    },
  });
}

/** Whether some check of the table fails. */
async function isCaught(table: Cases): Promise<boolean> {
  for (const check of testOp(table)) {
    try {
      await check.run();
    } catch {
      return true;
    }
  }
  return false;
}

/** The damages that change something in a rule: which op, and how. */
async function damagesOf(table: Cases, ruleName: RuleName): Promise<(readonly [name: string, how: string])[]> {
  const found = new Map<string, readonly [string, string]>();
  const probe = (b: Ops): Ops =>
    new Proxy(b, {
      get(target, key: string) {
        const apply = target[key as keyof Ops] as unknown as Apply; // boundary: as in damagedOps
        return (ins: readonly Val[], attrs?: Attrs, ...rest: []) => {
          const whole = apply(ins, attrs, ...rest);
          for (const [how, damage] of Object.entries(damages)) {
            if (key !== "apply" && changes(whole, () => damage(apply, ins, attrs)))
              found.set(`${key} ${how}`, [key, how]);
          }
          return whole;
        };
      },
    });
  await isCaught(withRule(table, ruleName, probe));
  return [...found.values()];
}

function changes(whole: unknown, damaged: () => unknown): boolean {
  try {
    const other = damaged();
    return other !== undefined && differs(whole, other) === true;
  } catch {
    return false;
  }
}

/** The table with one rule of its op written in other ops. */
function withRule(table: Cases, ruleName: RuleName, other: (b: Ops) => Ops): Cases {
  const rule = table.op[ruleName] as (b: Ops, ...rest: readonly unknown[]) => unknown;
  // boundary: the rule's arguments are only passed on
  const op = { ...table.op, [ruleName]: (b: Ops, ...rest: unknown[]) => rule(other(b), ...rest) } as AnyOp;
  return { ...table, op };
}

/** Mutants that no check can catch, and why they are no mistakes. */
const equivalent: Record<string, string> = {
  "floorDiv.lower: lt with its operands swapped": "both signs are turned around, and they are only compared",
  "floorMod.lower: lt with its operands swapped": "as in floorDiv",
  "logSumExp.lower: constant with another value": "any finite number does where the maximum is not finite",
  "lstm.lower: constant with another value": "states that an empty sequence ends with: nn.test.ts has them",
  "logSumExp.vjp: constant with another value": "as in its lower",
};

/** Small samples are enough to tell a wrong rule, and each runs once for every mutant. */
function small(table: Cases): Cases {
  const size = (shapes: readonly (readonly number[])[]): number =>
    shapes.reduce((n, s) => n + s.reduce((m, d) => m * d, 1), 0);
  return { ...table, samples: table.samples.filter(({ ins }) => size(ins) <= 64) };
}

const wanted = process.env.MUTANT_OPS?.split(",");

/** A damaged definition: what the edges are for. */
const referenceDamages: Record<string, (op: AnyOp) => AnyOp["reference"]> = {
  "with its operands swapped": (op) => (ins, attrs, outs) => op.reference!([...ins].reverse(), attrs, outs),
  "with a flipped attribute": (op) => (ins, attrs, outs) => op.reference!(ins, flipped(attrs) ?? attrs, outs),
  "on another axis": (op) => (ins, attrs, outs) => op.reference!(ins, onAnotherAxis(attrs) ?? attrs, outs),
};

for (const whole of Object.values(tables)) {
  const table = small(whole);
  const { op } = table;
  if (wanted && !wanted.includes(op.name)) continue;
  for (const ruleName of ["lower", "vjp", "batch"] as const) {
    if (typeof op[ruleName] !== "function") continue;
    test(`${op.name}: a damaged ${ruleName} is caught`, async () => {
      const survivors: string[] = [];
      for (const [name, how] of await damagesOf(table, ruleName)) {
        const mutant = `${op.name}.${ruleName}: ${name} ${how}`;
        const isSame = mutant in equivalent || (how.includes("swapped") && commutative.includes(name));
        const damaged = withRule(table, ruleName, (b) => damagedOps(b, name, damages[how]!));
        if (!isSame && !(await isCaught(damaged))) survivors.push(mutant);
      }
      expect(survivors).toEqual([]);
    });
  }
  if (!op.reference || testOp(table).length === 0) continue;
  test(`${op.name}: a damaged reference is caught`, async () => {
    const survivors: string[] = [];
    for (const [how, damage] of Object.entries(referenceDamages)) {
      const mutant = `${op.name}.reference ${how}`;
      if (!matters(op, how) || mutant in equivalent) continue;
      const edgesAlone = { op: { ...op, reference: damage(op) } as AnyOp, samples: [], edges: table.edges ?? [] };
      if (!(await isCaught(edgesAlone))) survivors.push(mutant);
    }
    expect(survivors).toEqual([]);
  });

  function matters(op: AnyOp, how: string): boolean {
    const attrs = [...table.samples, ...(table.edges ?? [])].map((c) => c.attrs);
    if (how === "with a flipped attribute") return attrs.some((a) => flipped(a));
    if (how === "on another axis") return attrs.some((a) => onAnotherAxis(a));
    return op.arity !== 0 && op.arity !== 1 && !commutative.includes(op.name);
  }
}
