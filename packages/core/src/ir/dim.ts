/**
 * Sizes: a `Dim` is a number, or a normalised polynomial over symbols with floorDiv, mod, max and min.
 * Two symbolic sizes are equal when their keys are; everything else that the keys cannot decide is left to a guard at run time.
 */

/** A size: known now, or an expression over symbols that `bind` evaluates. */
export type Dim = number | SymDim;

/** What a polynomial is made of: a symbol, or an operation that no polynomial can express. */
export type Atom =
  | { readonly kind: "symbol"; readonly name: string; readonly min: number; readonly max: number }
  | { readonly kind: "floorDiv" | "mod" | "max" | "min"; readonly a: Dim; readonly b: Dim };

/** coefficient × product of atoms; atoms are sorted by key, a power is a repetition. */
export interface Term {
  readonly coefficient: number;
  readonly atoms: readonly Atom[];
}

/** A size that is not known yet: Σ terms. Made only by the functions of this file, so it is always normalised. */
export class SymDim {
  readonly terms: readonly Term[];
  /** Canonical text; equal polynomials have equal keys. */
  readonly key: string;
  constructor(terms: readonly Term[]) {
    this.terms = terms;
    this.key = termsKey(terms);
  }
  toString(): string {
    return this.key;
  }
  /** A size that is unknown has no number: arithmetic on it is a mistake that must not become NaN. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.key;
    throw new TypeError(`the size ${this.key} is not known while tracing; use tf.shape or reshape with -1 instead`);
  }
}

/** An undecided comparison: it holds for some sizes, so it is checked when the sizes are known. */
export interface Guard {
  readonly kind: "eq" | "le";
  readonly a: Dim;
  readonly b: Dim;
}

/** What a comparison of sizes may answer. */
export type Truth = boolean | Guard;

function atomKey(atom: Atom): string {
  return atom.kind === "symbol" ? atom.name : `${atom.kind}(${dimKey(atom.a)},${dimKey(atom.b)})`;
}

function termKey(term: Term): string {
  return term.atoms.map(atomKey).join("*");
}

function termsKey(terms: readonly Term[]): string {
  const one = (t: Term): string => {
    const atoms = termKey(t);
    if (atoms === "") return `${t.coefficient}`;
    return t.coefficient === 1 ? atoms : `${t.coefficient}*${atoms}`;
  };
  return terms.map(one).join("+");
}

/** Canonical text of a size: a number's digits, or the polynomial. */
export function dimKey(d: Dim): string {
  return typeof d === "number" ? `${d}` : d.key;
}

function termsOf(d: Dim): readonly Term[] {
  if (typeof d !== "number") return d.terms;
  return d === 0 ? [] : [{ coefficient: d, atoms: [] }];
}

/** Adds like terms and orders them: symbols before the constant. */
function normalise(terms: readonly Term[]): Dim {
  const byKey = new Map<string, Term>();
  for (const term of terms) {
    const key = termKey(term);
    const seen = byKey.get(key);
    byKey.set(key, seen ? { coefficient: seen.coefficient + term.coefficient, atoms: term.atoms } : term);
  }
  const kept = [...byKey.entries()].filter(([, t]) => t.coefficient !== 0);
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0]![0] === "") return kept[0]![1].coefficient;
  kept.sort(([a], [b]) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1));
  return new SymDim(kept.map(([, t]) => t));
}

const fromAtom = (atom: Atom): SymDim => new SymDim([{ coefficient: 1, atoms: [atom] }]);

/** A named unknown size within [min, max]. Two symbols are the same size when their names are equal. */
export function symbol(name: string, min = 0, max: number = Number.MAX_SAFE_INTEGER): SymDim {
  return fromAtom({ kind: "symbol", name, min, max });
}

export function addDim(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return normalise([...termsOf(a), ...termsOf(b)]);
}

export function mulDim(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  const product: Term[] = [];
  for (const x of termsOf(a)) {
    for (const y of termsOf(b)) {
      const atoms = [...x.atoms, ...y.atoms].sort((p, q) => (atomKey(p) < atomKey(q) ? -1 : 1));
      product.push({ coefficient: x.coefficient * y.coefficient, atoms });
    }
  }
  return normalise(product);
}

export function subDim(a: Dim, b: Dim): Dim {
  return addDim(a, mulDim(b, -1));
}

/** term / divisor when it divides evenly, else undefined. */
function divideTerm(term: Term, divisor: Term): Term | undefined {
  if (term.coefficient % divisor.coefficient !== 0) return undefined;
  const rest = [...term.atoms];
  for (const atom of divisor.atoms) {
    const at = rest.findIndex((r) => atomKey(r) === atomKey(atom));
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return { coefficient: term.coefficient / divisor.coefficient, atoms: rest };
}

/** floor(a / b); the part of `a` that `b` divides evenly stays a polynomial, since floor(p·b + r, b) = p + floor(r, b). */
export function floorDivDim(a: Dim, b: Dim): Dim {
  if (b === 0) throw new RangeError("floorDivDim: division by zero");
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  if (b === 1) return a;
  if (dimKey(a) === dimKey(b)) return 1;
  const divisor = termsOf(b);
  if (divisor.length !== 1) return a === 0 ? 0 : fromAtom({ kind: "floorDiv", a, b });
  const exact: Term[] = [];
  const rest: Term[] = [];
  for (const term of termsOf(a)) {
    const quotient = divideTerm(term, divisor[0]!);
    if (quotient) exact.push(quotient);
    else rest.push(term);
  }
  if (rest.length === 0) return normalise(exact);
  const remainder = normalise(rest);
  const tail: Dim =
    typeof remainder === "number" && typeof b === "number"
      ? Math.floor(remainder / b)
      : fromAtom({ kind: "floorDiv", a: remainder, b });
  return addDim(normalise(exact), tail);
}

/** a mod b, with the sign of b. */
export function modDim(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a - Math.floor(a / b) * b;
  const quotient = floorDivDim(a, b);
  const rest = subDim(a, mulDim(quotient, b));
  const exact = typeof quotient === "number" || !quotient.key.includes("floorDiv(");
  return exact ? rest : fromAtom({ kind: "mod", a, b });
}

/** ceil(a / b) */
export function ceilDivDim(a: Dim, b: Dim): Dim {
  return floorDivDim(addDim(a, subDim(b, 1)), b);
}

export function maxDim(a: Dim, b: Dim): Dim {
  const order = leDim(a, b);
  if (typeof order === "boolean") return order ? b : a;
  return fromAtom({ kind: "max", a, b });
}

export function minDim(a: Dim, b: Dim): Dim {
  const order = leDim(a, b);
  if (typeof order === "boolean") return order ? a : b;
  return fromAtom({ kind: "min", a, b });
}

/** The product of sizes; 1 for none. */
export function productDim(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(mulDim, 1);
}

/** The least and greatest value that a size can take. */
export function boundsOf(d: Dim): readonly [number, number] {
  if (typeof d === "number") return [d, d];
  let low = 0;
  let high = 0;
  for (const term of d.terms) {
    let [lo, hi]: readonly [number, number] = [term.coefficient, term.coefficient];
    for (const atom of term.atoms) [lo, hi] = product([lo, hi], atomBounds(atom));
    low += lo;
    high += hi;
  }
  return [low, high];
}

type Interval = readonly [number, number];

function product([a, b]: Interval, [c, d]: Interval): Interval {
  const all = [a * c, a * d, b * c, b * d].map((x) => (Number.isNaN(x) ? 0 : x));
  return [Math.min(...all), Math.max(...all)];
}

function atomBounds(atom: Atom): Interval {
  if (atom.kind === "symbol") return [atom.min, atom.max];
  const [a, b] = [boundsOf(atom.a), boundsOf(atom.b)];
  if (atom.kind === "max") return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  if (atom.kind === "min") return [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  if (b[0] <= 0) return [-Infinity, Infinity];
  if (atom.kind === "mod") return [0, b[1] - 1];
  const corners = [a[0] / b[0], a[0] / b[1], a[1] / b[0], a[1] / b[1]].map(Math.floor);
  return [Math.min(...corners), Math.max(...corners)];
}

/** Whether two sizes are equal. */
export function eqDim(a: Dim, b: Dim): Truth {
  if (typeof a === "number" && typeof b === "number") return a === b;
  if (dimKey(a) === dimKey(b)) return true;
  const [low, high] = boundsOf(subDim(a, b));
  if (low === 0 && high === 0) return true;
  return low > 0 || high < 0 ? false : { kind: "eq", a, b };
}

/** Whether a <= b. */
export function leDim(a: Dim, b: Dim): Truth {
  if (typeof a === "number" && typeof b === "number") return a <= b;
  const [low, high] = boundsOf(subDim(b, a));
  if (low >= 0) return true;
  if (high < 0) return false;
  return { kind: "le", a, b };
}

/** The first comparison that fails, else the first that is undecided, else true. */
export function allTrue(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.find((t) => t !== true) ?? true;
}

/** The value of a size where every symbol's value is known; a RangeError names one that is not. */
export function evaluateDim(d: Dim, sizes: ReadonlyMap<string, number>): number {
  if (typeof d === "number") return d;
  let sum = 0;
  for (const term of d.terms) sum += term.atoms.reduce((p, atom) => p * evaluateAtom(atom, sizes), term.coefficient);
  return sum;
}

function evaluateAtom(atom: Atom, sizes: ReadonlyMap<string, number>): number {
  if (atom.kind === "symbol") {
    const value = sizes.get(atom.name);
    if (value === undefined) throw new RangeError(`the size ${atom.name} has no value`);
    return value;
  }
  const [a, b] = [evaluateDim(atom.a, sizes), evaluateDim(atom.b, sizes)];
  if (atom.kind === "max") return Math.max(a, b);
  if (atom.kind === "min") return Math.min(a, b);
  return atom.kind === "floorDiv" ? Math.floor(a / b) : a - Math.floor(a / b) * b;
}

/** Adds the names of the symbols in `d` to `into`, in order of appearance. */
export function symbolsOf(d: Dim, into: Set<string> = new Set()): Set<string> {
  if (typeof d === "number") return into;
  for (const term of d.terms) {
    for (const atom of term.atoms) {
      if (atom.kind === "symbol") into.add(atom.name);
      else {
        symbolsOf(atom.a, into);
        symbolsOf(atom.b, into);
      }
    }
  }
  return into;
}

/** `d` with symbols replaced by other sizes. */
export function substituteDim(d: Dim, by: ReadonlyMap<string, Dim>): Dim {
  if (typeof d === "number") return d;
  const one = (atom: Atom): Dim => {
    if (atom.kind === "symbol") return by.get(atom.name) ?? fromAtom(atom);
    const [a, b] = [substituteDim(atom.a, by), substituteDim(atom.b, by)];
    if (atom.kind === "max") return maxDim(a, b);
    if (atom.kind === "min") return minDim(a, b);
    return atom.kind === "floorDiv" ? floorDivDim(a, b) : modDim(a, b);
  };
  return d.terms.map((t) => t.atoms.reduce<Dim>((p, atom) => mulDim(p, one(atom)), t.coefficient)).reduce(addDim, 0);
}
