import { countOf } from "@millrace/core/graph";
import type { Batch } from "../batching/batch.js";
import type { BatchQueue } from "../batching/queue.js";
import { RowReader } from "../json/rows.js";
import type { Format } from "../json/tensors.js";
import type { SignaturePlan } from "../models/signature.js";
import type { ServedVersion } from "../models/version.js";

const [comma, colon, openList, closeList, openObject, closeObject] = [0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d];

/** Rows that were written into a batch, for the caller to commit. */
export interface QuickRows {
  readonly plan: SignaturePlan;
  readonly queue: BatchQueue;
  readonly batch: Batch;
  readonly rows: number;
  readonly format: Format;
}

/**
 * Reads a predict request straight into the batch that it will run in, where the signature takes float32 of known sizes and
 * the body is plain and right. Otherwise undefined, and nothing has happened.
 * @throws StatusError UNAVAILABLE where the queue is full
 */
export function readQuickly(bytes: Uint8Array, version: ServedVersion): QuickRows | undefined {
  const joining = new QuickRead(bytes, version, false);
  const rows = joining.body();
  return rows === undefined && joining.isFull ? new QuickRead(bytes, version, true).body() : rows;
}

class QuickRead {
  /** Whether the open batch had no room for all rows. */
  isFull = false;
  private readonly reader: RowReader;
  private readonly bytes: Uint8Array;
  private readonly version: ServedVersion;
  private readonly fresh: boolean;
  private room = 0;

  constructor(bytes: Uint8Array, version: ServedVersion, fresh: boolean) {
    this.reader = new RowReader(bytes);
    this.bytes = bytes;
    this.version = version;
    this.fresh = fresh;
  }

  body(): QuickRows | undefined {
    const { reader, version } = this;
    let name: string | undefined;
    let read: QuickRows | undefined;
    if (!reader.take(openObject)) return undefined;
    do {
      const key = reader.text();
      if (key === undefined || !reader.take(colon)) return undefined;
      if (key === "signature_name" && name === undefined) {
        name = reader.text();
        if (name === undefined || (read && version.signature(name) !== read.plan)) return undefined;
      } else if ((key === "instances" || key === "inputs") && !read) {
        read = this.tensors(key === "instances" ? "row" : "columns", name);
        if (!read) return undefined;
      } else {
        return undefined;
      }
    } while (reader.take(comma));
    return reader.take(closeObject) && reader.next() < 0 ? read : undefined;
  }

  private tensors(format: Format, name: string | undefined): QuickRows | undefined {
    const plan = this.version.signature(name);
    const queue = plan && plan.rowFloats > 0 ? this.version.fixedQueue(plan) : undefined;
    if (!plan || !queue) return undefined;
    const batch = queue.open(this.fresh);
    this.room = queue.roomIn(batch);
    // A number and what follows it are two bytes at least.
    const most = Math.floor(this.bytes.length / (2 * plan.rowFloats)) + 1;
    // boundary: rowFloats says that there is nothing else
    const slabs = batch.room(Math.min(this.room, most)) as readonly Float32Array[];
    const rows = format === "row" ? this.rows(plan, slabs, batch.rows) : this.columns(plan, slabs, batch.rows);
    return rows < 0 ? undefined : { plan, queue, batch, rows, format };
  }

  /** Reads [row, row, …]; their number, or -1. */
  private rows(plan: SignaturePlan, slabs: readonly Float32Array[], from: number): number {
    const { reader } = this;
    if (!reader.take(openList)) return -1;
    const isNamed = reader.next() === openObject;
    if (!isNamed && plan.inputs.length > 1) return -1;
    let rows = 0;
    do {
      if (this.isOver(rows)) return -1;
      const isRead = isNamed
        ? this.record(plan, (input) => this.row(plan, slabs, input, from + rows))
        : this.row(plan, slabs, 0, from + rows);
      if (!isRead) return -1;
      rows++;
    } while (reader.take(comma));
    return reader.take(closeList) ? rows : -1;
  }

  /** Reads a tensor, or {"name": tensor, …}; the rows they share, or -1. */
  private columns(plan: SignaturePlan, slabs: readonly Float32Array[], from: number): number {
    let rows = -1;
    const column = (input: number): boolean => {
      const read = this.column(plan, slabs, input, from);
      const fits = read >= 0 && (rows < 0 || rows === read);
      rows = read;
      return fits;
    };
    if (this.reader.next() === openObject) return this.record(plan, column) ? rows : -1;
    return plan.inputs.length === 1 && column(0) ? rows : -1;
  }

  private column(plan: SignaturePlan, slabs: readonly Float32Array[], input: number, from: number): number {
    const { reader } = this;
    if (!reader.take(openList)) return -1;
    let rows = 0;
    do {
      if (this.isOver(rows) || !this.row(plan, slabs, input, from + rows)) return -1;
      rows++;
    } while (reader.take(comma));
    return reader.take(closeList) ? rows : -1;
  }

  private isOver(rows: number): boolean {
    if (rows < this.room) return false;
    this.isFull = true;
    return true;
  }

  private row(plan: SignaturePlan, slabs: readonly Float32Array[], input: number, row: number): boolean {
    const shape = plan.rowShapes![input]!;
    return this.reader.tensor(shape, 0, slabs[input]!, row * countOf(shape)) >= 0;
  }

  /** Reads an object that has every input once and nothing else. */
  private record(plan: SignaturePlan, read: (input: number) => boolean): boolean {
    const { reader } = this;
    if (!reader.take(openObject)) return false;
    const seen = new Set<number>();
    do {
      const key = reader.text();
      const input = plan.inputs.findIndex((x) => x.name === key);
      if (input < 0 || seen.has(input) || !reader.take(colon) || !read(input)) return false;
      seen.add(input);
    } while (reader.take(comma));
    return seen.size === plan.inputs.length && reader.take(closeObject);
  }
}
