// A compiled graph and its bounds: what the engine and the run entry share.
import type { Aval } from "../ir/aval.js";
import { evaluateDim } from "../ir/dim.js";
import type { Graph } from "../ir/graph.js";
import type { Claims } from "../ir/verify.js";
import { findOp } from "../ops/table.js";
import type { Backend, Bound, Buf, Executable } from "./backend.js";
import type { ResultName } from "./origins.js";
import { RecentMap } from "./recent-map.js";
import type { TensorType } from "./tensor-type.js";

/** A program with its places for one tuple of sizes. */
export interface BoundGraph<T extends Aval = TensorType> {
  readonly bound: Bound;
  readonly outs: readonly T[];
  /** That of the first result; see Origins. */
  readonly origin: number;
  /** Whether it is queued even where nothing else is. */
  readonly isLong: boolean;
  /** How it runs where it is no program of one backend, but of several devices. */
  readonly run?: (args: readonly Buf[]) => readonly Buf[];
  /** True once it was given back: whoever still holds it must bind anew. */
  released: boolean;
}

/** Bounds that are kept of one program; the one that was not used longest goes first. */
const maxBounds = 1024;

/** What made an executable: the backend, or what splits programs for it. */
export type Programs = Pick<Backend, "bind" | "isLong" | "releaseBound" | "releaseExecutable">;

/** Who compiles graphs. */
export interface Compiler<T extends Aval> {
  /** A result's aval, its sizes known, in the compiler's own form. */
  typeOf(aval: Aval): T;
  /** Called when a bound is given back: whoever remembers bounds must forget them. */
  onEvict(): void;
  /** Called with each new bound; says of what origin its first result is. */
  onBind?(bound: Bound, outs: readonly T[], nameOf: ResultName): number;
  /** Called when a bound is given back. */
  onRelease?(bound: BoundGraph<T>): void;
}

/** Which composites a backend runs whole. One of the engine's own has the name of an op, but is not in the table. */
export function claimsOf(backend: Backend): Claims {
  return (op, ins, attrs) => findOp(op.name) === op && backend.claims(op, ins, attrs);
}

/** A compiled graph and its bounds. */
export class CompiledGraph<T extends Aval = TensorType> {
  readonly symbols: readonly string[];
  private readonly compiler: Compiler<T>;
  private readonly programs: Programs;
  private readonly exe: Executable;
  private readonly results: readonly Aval[];
  private readonly nameOf: ResultName;
  private readonly bounds: RecentMap<string, BoundGraph<T>>;

  /**
   * @param symbols the sizes that `bind` takes, in order
   * @param lowered the graph that was compiled
   * @param nameOf what the compiler's `onBind` is told of the results
   */
  constructor(
    compiler: Compiler<T>,
    programs: Programs,
    exe: Executable,
    symbols: readonly string[],
    lowered: Graph,
    nameOf: ResultName = () => "program",
  ) {
    this.nameOf = nameOf;
    this.compiler = compiler;
    this.programs = programs;
    this.exe = exe;
    this.symbols = symbols;
    this.results = lowered.results.map((v) => v.aval);
    this.bounds = new RecentMap(
      maxBounds,
      (entry) => this.giveBack(entry),
      () => compiler.onEvict(),
    );
  }

  /** The program for these values of the symbols. */
  bind(sizes: readonly number[]): BoundGraph<T> {
    const key = sizes.join();
    const seen = this.bounds.get(key);
    if (seen) return seen;
    const values = new Map(this.symbols.map((s, i) => [s, sizes[i]!]));
    const outs = this.results.map((a) => {
      return this.compiler.typeOf({ dtype: a.dtype, shape: a.shape.map((d) => evaluateDim(d, values)) });
    });
    const bound = this.programs.bind(this.exe, sizes);
    const origin = this.compiler.onBind?.(bound, outs, this.nameOf) ?? 0;
    const made = { bound, outs, origin, isLong: this.programs.isLong?.(bound) ?? false, released: false };
    this.bounds.add(key, made);
    return made;
  }

  private giveBack(entry: BoundGraph<T>): void {
    entry.released = true;
    this.compiler.onRelease?.(entry);
    this.programs.releaseBound(entry.bound);
  }

  /** Gives the program and its bounds back. */
  release(): void {
    this.bounds.clear();
    this.programs.releaseExecutable(this.exe);
  }
}
