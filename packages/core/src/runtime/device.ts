import type { Aval } from "../ir/aval.js";
import type { Graph } from "../ir/graph.js";
import { optimize } from "../passes/pipeline.js";
import { encodeProgram } from "../schedule/encode.js";
import { schedule, symbolsOfGraph } from "../schedule/schedule.js";
import type { Backend, Bound, Buf } from "./backend.js";
import { type BoundGraph, CompiledGraph, type Compiler, claimsOf } from "./compiled-graph.js";
import { HostCalls, hasHostCalls } from "./host-calls.js";
import { withChecks } from "./numerics.js";
import { origins, type ResultName } from "./origins.js";
import { OpenPage } from "./pages.js";
import { type TensorType, TypeTable } from "./tensor-type.js";

/** One device of a backend: the types of its tensors and the programs compiled for it. */
export class Device implements Compiler<TensorType> {
  readonly name: string;
  readonly backend: Backend;
  readonly index: number;
  readonly types: TypeTable;
  /** Where the buffers of its new tensors are entered. */
  readonly page: OpenPage = new OpenPage();
  private readonly hostCalls: HostCalls;
  /** Called when a bound is given back: whoever remembers bounds must forget them. */
  onEvict: () => void = () => {};

  /** @param name that of the backend's device unless given */
  constructor(backend: Backend, index: number, name: string = backend.devices()[index]!.name) {
    this.backend = backend;
    this.index = index;
    this.name = name;
    this.types = new TypeTable(this);
    this.hostCalls = new HostCalls(backend, index);
  }

  typeOf(aval: Aval): TensorType {
    return this.types.of(aval);
  }

  /**
   * Runs a program that an assertion may stop: nothing is donated, and it is waited for, so that variables are as they
   * were when it fails, also where it was queued.
   */
  runToEnd(program: BoundGraph, args: readonly Buf[]): readonly Buf[] {
    const { outs } = program;
    const made = this.run(program, args, []);
    const smallest = outs.reduce((best, type, i) => (type.bytes < outs[best]!.bytes ? i : best), 0);
    try {
      outs[smallest]?.device.backend.readSync?.(made[smallest]!);
    } catch (error) {
      for (const [i, buf] of made.entries()) outs[i]!.device.backend.free(buf);
      throw error;
    }
    return made;
  }

  /** A traced graph after the passes for this device. */
  lower(graph: Graph): Graph {
    return optimize(graph, claimsOf(this.backend));
  }

  /**
   * Compiles a traced graph. `nameOf` says what tf.memory() calls its results. `symbols` fixes the order in which sizes
   * are given; else it is that of appearance.
   */
  compile(graph: Graph, nameOf?: ResultName, symbols: readonly string[] = [...symbolsOfGraph(graph)]): CompiledGraph {
    const { backend, hostCalls } = this;
    const lowered = this.lower(withChecks(graph));
    if (hasHostCalls(lowered))
      return new CompiledGraph(this, hostCalls, hostCalls.compile(lowered, symbols), symbols, lowered, nameOf);
    const program = encodeProgram(schedule(lowered, symbols, { fusion: backend.fusion }));
    return new CompiledGraph(this, backend, backend.compile(program, this.index), symbols, lowered, nameOf);
  }

  /** Runs a bound program; those with host calls have negative numbers. `renew` as `Backend.run` says. */
  run(
    program: BoundGraph,
    args: readonly Buf[],
    donate: readonly number[],
    renew: readonly number[] = [],
  ): readonly Buf[] {
    const { bound } = program;
    if (program.run) return program.run(args);
    const made = bound < 0 ? this.hostCalls.run(bound, args) : this.backend.run(bound, args, donate, renew);
    if (bound < 0) origins.markResults(program, made);
    if (origins.tracksSites) origins.markSite(program, made);
    return made;
  }

  onBind(bound: Bound, outs: readonly TensorType[], nameOf: ResultName): number {
    return origins.enter(this.backend, bound, outs, nameOf);
  }
  onRelease(program: BoundGraph): void {
    origins.leave(program);
  }
}
