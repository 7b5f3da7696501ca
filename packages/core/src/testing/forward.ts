// An op on a backend against its definition: eagerly, where sizes are symbols, and as a graph of known sizes.
import type { Attrs } from "../ir/attrs.js";
import { GraphBuilder } from "../ir/graph.js";
import { bytesOf, viewAs } from "../ir/host.js";
import type { AnyOp } from "../ir/op.js";
import type { Backend } from "../runtime/backend.js";
import type { BoundGraph } from "../runtime/compiled-graph.js";
import { Device } from "../runtime/device.js";
import { EagerPrograms } from "../runtime/eager.js";
import { type HostVal, hostVal } from "./host.js";

/** A backend as something that applies ops to arrays. */
export class Runner {
  readonly name: string;
  private readonly backend: Backend;
  private readonly device: Device;
  private readonly programs: EagerPrograms;

  constructor(backend: Backend) {
    this.name = backend.name;
    this.backend = backend;
    this.device = new Device(backend, 0);
    this.programs = new EagerPrograms(this.device);
  }

  /** As eager code does it: a program for the pattern of the sizes. */
  async eager(op: AnyOp, ins: readonly HostVal[], attrs: Attrs): Promise<HostVal[]> {
    return this.run(
      this.programs.bind(
        op,
        ins.map((x) => x.aval),
        attrs,
      ),
      ins,
    );
  }

  /** As a graph of the op alone, whose sizes are numbers. */
  async graph(op: AnyOp, ins: readonly HostVal[], attrs: Attrs): Promise<HostVal[]> {
    const builder = new GraphBuilder();
    const results = builder.apply(
      op,
      ins.map((x) => builder.param(x.aval)),
      attrs,
    );
    const compiled = this.device.compile(builder.finish(results));
    try {
      return await this.run(compiled.bind([]), ins);
    } finally {
      compiled.release();
    }
  }

  private async run(program: BoundGraph, ins: readonly HostVal[]): Promise<HostVal[]> {
    const { backend } = this;
    const args = ins.map((x) => backend.upload(bytesOf(x.data), x.aval, 0));
    const results = this.device.run(program, args, []);
    try {
      const bytes = await Promise.all(results.map((buf) => backend.read(buf)));
      return program.outs.map(({ dtype, shape }, i) =>
        hostVal({ dtype, shape: shape.map(Number), data: viewAs(dtype, bytes[i]!) }),
      );
    } finally {
      for (const buf of [...args, ...results]) backend.free(buf);
    }
  }
}
