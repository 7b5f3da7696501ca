// The instructions of one loop, collected value by value.
import { type Dim, dimKey } from "../ir/dim.js";
import type { Node } from "../ir/graph.js";
import { bytesOf } from "../ir/host.js";
import type { TypedArray } from "../types/dtype.js";
import type { Instruction, Load, LoopRecord, Store } from "./program.js";
import type { RegionScheduler } from "./schedule.js";
import { stridesOfView, type View } from "./views.js";

/** The instructions of one loop. */
export class LoopBody {
  private readonly loads: Load[] = [];
  private readonly loadNumbers = new Map<string, number>();
  private readonly instructions: { readonly instruction: Instruction; readonly number: number }[] = [];
  private readonly numbers = new Map<Node, number>();
  private readonly constants = new Map<Node, number>();
  private readonly stores: Store[] = [];
  private readonly scheduler: RegionScheduler;
  private readonly shape: readonly Dim[];

  constructor(scheduler: RegionScheduler, shape: readonly Dim[]) {
    this.scheduler = scheduler;
    this.shape = shape;
  }

  // Loads are numbered from 0, instructions from −1 downwards until the number of loads is known.
  load(view: View): number {
    const { offset, strides } = stridesOfView(view, this.shape.length);
    const slot = this.scheduler.slotOf(view.root);
    const key = `${slot} ${dimKey(offset)} ${strides.map(dimKey).join()}`;
    const seen = this.loadNumbers.get(key);
    if (seen !== undefined) return seen;
    const size = (d: Dim): number => this.scheduler.size(d);
    const number = this.loads.push({ slot, offset: size(offset), strides: strides.map(size) }) - 1;
    this.loadNumbers.set(key, number);
    return number;
  }

  private push(instruction: Instruction): number {
    const number = -1 - this.instructions.length;
    this.instructions.push({ instruction, number });
    return number;
  }

  constant(node: Node): number {
    let number = this.constants.get(node);
    if (number === undefined) {
      const bytes = new Uint8Array(8);
      bytes.set(bytesOf(node.attrs.data as TypedArray));
      const immediate = new DataView(bytes.buffer).getBigUint64(0, true);
      number = this.push({ op: "constant", dtype: node.outs[0]!.dtype, args: [], immediate });
      this.constants.set(node, number);
    }
    return number;
  }

  iota(node: Node): void {
    const immediate = BigInt(Number(node.attrs.axis));
    this.numbers.set(node, this.push({ op: "iota", dtype: node.outs[0]!.dtype, args: [], immediate }));
  }

  apply(node: Node, args: readonly number[]): void {
    this.numbers.set(node, this.push({ op: node.op.name, dtype: node.outs[0]!.dtype, args, immediate: 0n }));
  }

  rename(node: Node, number: number): void {
    this.numbers.set(node, number);
  }

  result(node: Node): number {
    return this.numbers.get(node)!;
  }

  store(node: Node): void {
    this.stores.push({ slot: this.scheduler.define(node)[0]!, value: this.numbers.get(node)! });
  }

  reduce(node: Node, value: number): void {
    const mask = (node.attrs.axes as readonly number[]).reduce((m, axis) => m | (1 << axis), 0);
    this.stores.push({ slot: this.scheduler.define(node)[0]!, value, reduce: { op: node.op.name, mask } });
  }

  record(): LoopRecord {
    const final = (n: number): number => (n >= 0 ? n : this.loads.length - 1 - n);
    return {
      kind: "loop",
      extents: this.shape.map((d) => this.scheduler.size(d)),
      loads: this.loads,
      instructions: this.instructions.map(({ instruction: i }) => ({ ...i, args: i.args.map(final) })),
      stores: this.stores.map((s) => ({ ...s, value: final(s.value) })),
    };
  }
}
