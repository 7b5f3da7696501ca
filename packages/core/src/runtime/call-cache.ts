import { type Attrs, noAttrs, sameAttrs } from "../ir/attrs.js";
import type { AnyOp } from "../ir/op.js";
import type { Bound, Buf } from "./backend.js";
import type { BoundGraph } from "./compiled-graph.js";
import type { Device } from "./device.js";
import type { TensorImpl } from "./tensor.js";
import type { TensorType } from "./tensor-type.js";

interface Inline1 {
  readonly a: TensorType;
  readonly attrs: Attrs;
  readonly out: TensorType;
  readonly bound: Bound;
  run1(bound: Bound, a: Buf): Buf;
}

interface Inline2 {
  readonly a: TensorType;
  readonly b: TensorType;
  readonly out: TensorType;
  readonly bound: Bound;
  run2(bound: Bound, a: Buf, b: Buf): Buf;
}

interface Entry {
  /** Where it ran: an op without operands has no other sign of it. */
  readonly device: Device;
  readonly ins: readonly TensorType[];
  readonly attrs: Attrs;
  readonly bound: BoundGraph;
}

/** Entries of one op's table; the hash of the operands' types picks one. */
const tableSize = 64;

/**
 * Remembers which bound program an op meets on which types. Types are compared by identity; no key is built.
 * Each op has one inline entry for the last call, then a direct-mapped table; a miss asks EagerPrograms.
 */
export class CallCache {
  inline1: (Inline1 | undefined)[] = [];
  inline2: (Inline2 | undefined)[] = [];
  private tables: (Entry | undefined)[][] = [];

  find(op: AnyOp, device: Device, ins: readonly TensorImpl[], attrs: Attrs): BoundGraph | undefined {
    const entry = this.tables[op.id]?.[slotOf(ins)];
    if (!entry || entry.device !== device || entry.ins.length !== ins.length) return undefined;
    for (let i = 0; i < ins.length; i++) if (entry.ins[i] !== ins[i]!.type) return undefined;
    if (!sameAttrs(attrs, entry.attrs)) return undefined;
    this.fillInline(op, ins, attrs, entry.bound);
    return entry.bound;
  }

  add(op: AnyOp, device: Device, ins: readonly TensorImpl[], attrs: Attrs, bound: BoundGraph): void {
    this.tables[op.id] ??= new Array<Entry | undefined>(tableSize);
    const table = this.tables[op.id]!;
    table[slotOf(ins)] = { device, ins: ins.map((x) => x.type), attrs, bound };
    this.fillInline(op, ins, attrs, bound);
  }

  clear(): void {
    this.inline1 = [];
    this.inline2 = [];
    this.tables = [];
  }

  private fillInline(op: AnyOp, ins: readonly TensorImpl[], attrs: Attrs, { bound, outs, isLong }: BoundGraph): void {
    const [out, a, b] = [outs[0], ins[0]?.type, ins[1]?.type];
    if (outs.length !== 1 || !out || !a || bound < 0 || isLong) return;
    const { backend } = a.device;
    if (ins.length === 1) {
      const run1 = backend.run1?.bind(backend) ?? ((id: Bound, x: Buf) => backend.run(id, [x], [])[0]!);
      this.inline1[op.id] = { a, attrs, out, bound, run1 };
    } else if (ins.length === 2 && b && sameAttrs(attrs, noAttrs)) {
      const run2 = backend.run2?.bind(backend) ?? ((id: Bound, x: Buf, y: Buf) => backend.run(id, [x, y], [])[0]!);
      this.inline2[op.id] = { a, b, out, bound, run2 };
    }
  }
}

function slotOf(ins: readonly TensorImpl[]): number {
  let hash = 0;
  for (let i = 0; i < ins.length; i++) hash = (hash * 31 + ins[i]!.type.id) | 0;
  return hash & (tableSize - 1);
}
