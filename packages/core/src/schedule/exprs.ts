import { type Atom, type Dim, dimKey } from "../ir/dim.js";
import type { Expr, ExprOperation } from "./program.js";

/** Collects sizes as expressions; equal sizes are one expression. */
export class ExprTable {
  readonly exprs: Expr[] = [];
  private readonly symbols: ReadonlyMap<string, number>;
  private readonly known = new Map<string, number>();

  constructor(symbols: readonly string[]) {
    this.symbols = new Map(symbols.map((name, i) => [name, i]));
  }

  /** The number of the expression for a size. */
  of(dim: Dim): number {
    return this.once(dimKey(dim), () => {
      if (typeof dim === "number") return this.add({ kind: "constant", value: dim });
      return dim.terms.map((t) => this.product(t.coefficient, t.atoms)).reduce((a, b) => this.operation("add", a, b));
    });
  }

  private product(coefficient: number, atoms: readonly Atom[]): number {
    const factors = atoms.map((a) => this.atom(a));
    if (coefficient !== 1 || factors.length === 0) factors.push(this.of(coefficient));
    return factors.reduce((a, b) => this.operation("mul", a, b));
  }

  private atom(atom: Atom): number {
    if (atom.kind !== "symbol") return this.operation(atom.kind, this.of(atom.a), this.of(atom.b));
    const index = this.symbols.get(atom.name);
    if (index === undefined) throw new RangeError(`the size ${atom.name} is not among the program's symbols`);
    return this.once(`symbol ${index}`, () => this.add({ kind: "symbol", index }));
  }

  private operation(kind: ExprOperation, a: number, b: number): number {
    return this.once(`${kind} ${a} ${b}`, () => this.add({ kind, a, b }));
  }

  private once(key: string, make: () => number): number {
    const seen = this.known.get(key);
    if (seen !== undefined) return seen;
    const made = make();
    this.known.set(key, made);
    return made;
  }

  private add(expr: Expr): number {
    this.exprs.push(expr);
    return this.exprs.length - 1;
  }
}
