import type { Aval } from "../ir/aval.js";
import { evaluateDim } from "../ir/dim.js";
import type { Graph } from "../ir/graph.js";
import { findOp } from "../ops/table.js";
import { optimize } from "../passes/pipeline.js";
import { encodeProgram } from "../schedule/encode.js";
import { schedule, symbolsOfGraph } from "../schedule/schedule.js";
import type { Backend, Bound, Buf, Executable } from "./backend.js";
import { HostCalls, hasHostCalls } from "./host-calls.js";
import { type TensorType, TypeTable } from "./tensor-type.js";

/** One device of a backend: the types of its tensors and the programs compiled for it. */
export class Device {
  readonly name: string;
  readonly backend: Backend;
  readonly index: number;
  readonly types: TypeTable;
  private readonly hostCalls: HostCalls;
  /** Called when a bound is given back: whoever remembers bounds must forget them. */
  onEvict: () => void = () => {};

  constructor(backend: Backend, index: number) {
    this.backend = backend;
    this.index = index;
    this.name = backend.devices()[index]!.name;
    this.types = new TypeTable(this);
    this.hostCalls = new HostCalls(backend, index);
  }

  /**
   * Runs a program that an assertion may stop: nothing is donated, and it is waited for, so that variables are as they
   * were when it fails, also where it was queued.
   */
  runToEnd({ bound, outs }: BoundGraph, args: readonly Buf[]): readonly Buf[] {
    const made = this.run(bound, args, []);
    const smallest = outs.reduce((best, type, i) => (type.bytes < outs[best]!.bytes ? i : best), 0);
    try {
      this.backend.readSync?.(made[smallest]!);
    } catch (error) {
      for (const buf of made) this.backend.free(buf);
      throw error;
    }
    return made;
  }

  /** Compiles a traced graph. `symbols` fixes the order in which sizes are given; else it is that of appearance. */
  compile(graph: Graph, symbols: readonly string[] = [...symbolsOfGraph(graph)]): CompiledGraph {
    const { backend } = this;
    // A composite of the engine's own has the name of an op, but is not in the table: no backend can know it.
    const lowered = optimize(graph, (op, ins, attrs) => findOp(op.name) === op && backend.claims(op, ins, attrs));
    const avals = lowered.results.map((v) => v.aval);
    if (hasHostCalls(lowered))
      return new CompiledGraph(this, this.hostCalls, this.hostCalls.compile(lowered, symbols), symbols, avals);
    const program = encodeProgram(schedule(lowered, symbols, { fusion: backend.fusion }));
    return new CompiledGraph(this, backend, backend.compile(program, this.index), symbols, avals);
  }

  /** Runs a bound program; those with host calls have negative numbers. */
  run(bound: Bound, args: readonly Buf[], donate: readonly number[]): readonly Buf[] {
    return bound < 0 ? this.hostCalls.run(bound, args) : this.backend.run(bound, args, donate);
  }
}

/** A program with its places for one tuple of sizes. */
export interface BoundGraph {
  readonly bound: Bound;
  readonly outs: readonly TensorType[];
  /** True once it was given back: whoever still holds it must bind anew. */
  released: boolean;
}

/** Bounds that are kept of one program; the one that was not used longest goes first. */
const maxBounds = 1024;

/** What made an executable: the backend, or what splits programs for it. */
type Programs = Pick<Backend, "bind" | "releaseBound" | "releaseExecutable">;

/** A compiled graph and its bounds. */
export class CompiledGraph {
  readonly symbols: readonly string[];
  private readonly device: Device;
  private readonly programs: Programs;
  private readonly exe: Executable;
  private readonly results: readonly Aval[];
  private readonly bounds = new Map<string, BoundGraph>();

  constructor(
    device: Device,
    programs: Programs,
    exe: Executable,
    symbols: readonly string[],
    results: readonly Aval[],
  ) {
    this.device = device;
    this.programs = programs;
    this.exe = exe;
    this.symbols = symbols;
    this.results = results;
  }

  /** The program for these values of the symbols. */
  bind(sizes: readonly number[]): BoundGraph {
    const key = sizes.join();
    const seen = this.bounds.get(key);
    if (seen) {
      this.bounds.delete(key);
      this.bounds.set(key, seen);
      return seen;
    }
    const values = new Map(this.symbols.map((s, i) => [s, sizes[i]!]));
    const outs = this.results.map((a) => {
      return this.device.types.of({ dtype: a.dtype, shape: a.shape.map((d) => evaluateDim(d, values)) });
    });
    const made = { bound: this.programs.bind(this.exe, sizes), outs, released: false };
    if (this.bounds.size >= maxBounds) this.evict();
    this.bounds.set(key, made);
    return made;
  }

  /** Gives back the half that was not used for longest: caches forget everything then, which must be rare. */
  private evict(): void {
    for (const [key, entry] of this.bounds) {
      if (this.bounds.size <= maxBounds / 2) break;
      this.giveBack(entry);
      this.bounds.delete(key);
    }
    this.device.onEvict();
  }

  private giveBack(entry: BoundGraph): void {
    entry.released = true;
    this.programs.releaseBound(entry.bound);
  }

  /** Gives the program and its bounds back. */
  release(): void {
    for (const entry of this.bounds.values()) this.giveBack(entry);
    this.bounds.clear();
    this.programs.releaseExecutable(this.exe);
  }
}
