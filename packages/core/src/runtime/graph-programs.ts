import { type Attrs, attrsKey } from "../ir/attrs.js";
import { formatAval } from "../ir/aval.js";
import { type Graph, GraphBuilder } from "../ir/graph.js";
import { symbolValues } from "../ir/inline.js";
import type { AnyOp } from "../ir/op.js";
import { remember } from "../ir/remember.js";
import { hasCopies } from "../passes/place.js";
import type { Tensor } from "../types/tensor.js";
import type { BoundGraph, CompiledGraph } from "./compiled-graph.js";
import type { Device } from "./device.js";
import type { Engine } from "./engine.js";
import { numerics } from "./numerics.js";
import type { ResultName } from "./origins.js";
import { PlacedProgram } from "./placed-program.js";
import type { TensorImpl } from "./tensor.js";

/** Compiled graphs, kept as long as their graphs live, or until they are released. */
export class GraphPrograms {
  private readonly programs = new WeakMap<Graph, Map<string, CompiledGraph | PlacedProgram>>();
  private readonly wrapped = new WeakMap<Graph, Map<string, Graph>>();
  private readonly names = new WeakMap<Graph, ResultName>();
  private readonly numbers = new WeakMap<Graph, number>();
  private nextNumber = 0;

  /** Says what tf.memory() calls the results of a graph. */
  nameResults(graph: Graph, nameOf: ResultName): void {
    this.names.set(graph, nameOf);
  }

  /** The program of a graph, bound to the sizes of these arguments. */
  bind(graph: Graph, device: Device, args: readonly TensorImpl[]): BoundGraph {
    const byDevice = remember(this.programs, graph, () => new Map<string, CompiledGraph | PlacedProgram>());
    const places = args.map((x) => x.type.device);
    const isElsewhere = places.some((place) => place !== device);
    const where = isElsewhere ? [device, ...places].map(({ name }) => name).join() : device.name;
    const program = remember(byDevice, numerics.watched ? `${where} watched` : where, () => {
      const nameOf = this.names.get(graph);
      if (!isElsewhere && !hasCopies(graph)) return device.compile(graph, nameOf);
      return new PlacedProgram(graph, places, device, nameOf);
    });
    const { symbols } = program;
    return program.bind(
      symbols.length === 0
        ? []
        : symbolValues(
            graph,
            args.map((x) => x.aval),
            symbols,
          ),
    );
  }

  /** Gives a graph's programs back. It is compiled anew where it is run again. */
  release(graph: Graph): void {
    for (const program of this.programs.get(graph)?.values() ?? []) program.release();
    this.programs.delete(graph);
  }

  /** Runs an op that has regions: its graph is the op alone. */
  runOp(
    engine: Engine,
    device: Device,
    op: AnyOp,
    ins: readonly TensorImpl[],
    attrs: Attrs,
    regions: readonly Graph[],
  ): (TensorImpl & Tensor)[] {
    return engine.runBound(device, this.bind(this.wrap(op, ins, attrs, regions), device, ins), ins);
  }

  /** A number for each graph that was asked for, so that keys tell them apart. */
  private numberOf(graph: Graph): number {
    return remember(this.numbers, graph, () => this.nextNumber++);
  }

  /** A graph of one op, the same for the same regions, attributes and operand types. */
  private wrap(op: AnyOp, ins: readonly TensorImpl[], attrs: Attrs, regions: readonly Graph[]): Graph {
    const [region] = regions;
    if (op.name === "call" && region) return region;
    const known = remember(this.wrapped, region!, () => new Map<string, Graph>());
    const others = regions.slice(1).map((other) => this.numberOf(other));
    const key = `${op.name}${attrsKey(attrs)} ${others.join()} ${ins.map((x) => formatAval(x.aval)).join()}`;
    return remember(known, key, () => {
      const builder = new GraphBuilder();
      const params = ins.map((x) => builder.param(x.aval));
      const graph = builder.finish(builder.apply(op, params, attrs, regions));
      this.nameResults(graph, () => op.name);
      return graph;
    });
  }
}
