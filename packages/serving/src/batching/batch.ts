import type { NamedAval, TypedArray } from "@millrace/core";
import { allocate, countOf, type HostArray } from "@millrace/core/graph";
import type { StatusError } from "../status.js";
import { copyInto } from "../tensors.js";

/** A request that waits for its rows. */
export interface Waiter {
  /** Its rows of every output, in the signature's order. */
  done(outputs: readonly HostArray[]): void;
  fail(error: StatusError): void;
  /** Whether nobody waits any more: the client left, or its time is up. */
  isDead(): boolean;
}

interface Piece {
  readonly rows: number;
  readonly since: number;
  readonly waiter: Waiter;
}

/** Requests that run together: their rows lie one after the other in one array an input, which grows as they come. */
export class Batch {
  rows = 0;
  /** No request may join any more. */
  sealed = false;
  /** Whether the scheduler knows of it. */
  announced = false;
  /** When it stops waiting for more. */
  timer: NodeJS.Timeout | undefined;
  readonly pieces: Piece[] = [];
  private readonly slabs: TypedArray[];
  private readonly inputs: readonly NamedAval[];
  private readonly shapes: readonly (readonly number[])[];
  private readonly sizes: readonly number[];

  constructor(inputs: readonly NamedAval[], shapes: readonly (readonly number[])[], slabs: TypedArray[]) {
    this.inputs = inputs;
    this.shapes = shapes;
    this.sizes = shapes.map(countOf);
    this.slabs = slabs;
  }

  /** The arrays to write further rows to, with room for `rows` of them. */
  room(rows: number): readonly TypedArray[] {
    const need = this.rows + rows;
    this.sizes.forEach((size, i) => {
      const slab = this.slabs[i]!;
      if (slab.length >= need * size) return;
      const larger = allocate(this.inputs[i]!.dtype, Math.max(need, 2 * this.rows) * size);
      copyInto(larger, slab.subarray(0, this.rows * size), 0);
      this.slabs[i] = larger;
    });
    return this.slabs;
  }

  /** Takes in rows that were written to `room`. */
  commit(rows: number, waiter: Waiter): void {
    this.rows += rows;
    this.pieces.push({ rows, since: performance.now(), waiter });
  }

  /** The inputs of the run. */
  tensors(): HostArray[] {
    return this.inputs.map(({ dtype }, i) => ({
      dtype,
      shape: [this.rows, ...this.shapes[i]!],
      data: this.slabs[i]!.subarray(0, this.rows * this.sizes[i]!),
    }));
  }

  /** The arrays, for another batch to use; undefined where they are larger than batches of `maxRows` rows need. */
  release(maxRows: number): TypedArray[] | undefined {
    const slabs = this.slabs.splice(0);
    return slabs.every((slab, i) => slab.length <= 2 * maxRows * this.sizes[i]!) ? slabs : undefined;
  }

  /** Gives every request its rows. */
  split(outputs: readonly HostArray[]): void {
    let row = 0;
    for (const { rows, waiter } of this.pieces) {
      waiter.done(this.pieces.length === 1 ? outputs : outputs.map((x) => rowsOf(x, row, rows)));
      row += rows;
    }
  }

  fail(error: StatusError): void {
    for (const { waiter } of this.pieces) waiter.fail(error);
  }
}

function rowsOf({ dtype, shape, data }: HostArray, row: number, rows: number): HostArray {
  const size = data.length / shape[0]!;
  return { dtype, shape: [rows, ...shape.slice(1)], data: data.subarray(row * size, (row + rows) * size) };
}
