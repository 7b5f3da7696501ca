import type { TypedArray } from "@millrace/core";
import { allocate, type HostArray } from "@millrace/core/graph";
import type { QueueLimits } from "../limits.js";
import type { SignaturePlan } from "../models/signature.js";
import { asStatusError, StatusError } from "../status.js";
import { copyInto } from "../tensors.js";
import { Batch, type Waiter } from "./batch.js";
import type { Scheduler } from "./scheduler.js";

/** What a queue needs of the version of a model that it belongs to. */
export interface Runner {
  run(plan: SignaturePlan, inputs: readonly HostArray[]): Promise<HostArray[]>;
  /** Keeps the version loaded. */
  retain(): void;
  release(): void;
  /** A batch is about to run; of each request its rows and how many milliseconds it waited. */
  observe(plan: SignaturePlan, rows: number, waits: readonly (readonly [number, number])[]): void;
  failed(error: unknown): void;
}

/** Arrays that are kept for the next batches. */
const keptSlabs = 4;

/** Requests of one signature whose rows have one shape, put together in the order in which they come. */
export class BatchQueue {
  private readonly plan: SignaturePlan;
  private readonly shapes: readonly (readonly number[])[];
  private readonly limits: QueueLimits;
  private readonly runner: Runner;
  private readonly scheduler: Scheduler;
  /** The oldest first; only the last may be open. */
  private readonly waiting: Batch[] = [];
  private readonly slabs: TypedArray[][] = [];

  /** @param shapes the shapes of one row of each input */
  constructor(
    plan: SignaturePlan,
    shapes: readonly (readonly number[])[],
    limits: QueueLimits,
    runner: Runner,
    scheduler: Scheduler,
  ) {
    this.plan = plan;
    this.shapes = shapes;
    this.limits = limits;
    this.runner = runner;
    this.scheduler = scheduler;
  }

  /** Rows that wait for their turn. */
  get depth(): number {
    return this.waiting.reduce((n, batch) => n + batch.rows, 0);
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /**
   * The batch that the next rows may be written to.
   * @param fresh whether it must be empty
   * @throws StatusError UNAVAILABLE where the queue is full
   */
  open(fresh = false): Batch {
    const last = this.waiting.at(-1);
    if (last && !last.sealed && last.rows < this.limits.maxBatchSize) {
      if (!fresh || last.rows === 0) return last;
      this.seal(last);
    }
    this.refuseWhereFull();
    const slabs = this.slabs.pop() ?? this.plan.inputs.map(({ dtype }) => allocate(dtype, 0));
    const batch = new Batch(this.plan.inputs, this.shapes, slabs);
    this.waiting.push(batch);
    return batch;
  }

  /** Rows that a request may still bring: any number where it is alone. */
  roomIn(batch: Batch): number {
    return batch.rows === 0 ? Number.POSITIVE_INFINITY : this.limits.maxBatchSize - batch.rows;
  }

  /** Takes in the rows that were written to an open batch. */
  commit(batch: Batch, rows: number, waiter: Waiter): void {
    batch.commit(rows, waiter);
    if (batch.rows >= this.limits.maxBatchSize) this.seal(batch);
    else if (batch.pieces.length === 1) this.announceLater(batch);
  }

  /** Adds a request whose tensors exist already. */
  add(inputs: readonly HostArray[], rows: number, waiter: Waiter): void {
    const open = this.open();
    const batch = rows <= this.roomIn(open) ? open : this.open(true);
    const slabs = batch.room(rows);
    for (const [i, { data }] of inputs.entries()) {
      copyInto(slabs[i]!, data, (batch.rows * data.length) / Math.max(1, rows));
    }
    this.commit(batch, rows, waiter);
  }

  /** Runs the oldest batch. */
  async runNext(): Promise<() => void> {
    const batch = this.waiting.shift();
    if (!batch || batch.pieces.length === 0) return () => {};
    batch.sealed = true;
    if (batch.pieces.every(({ waiter }) => waiter.isDead())) {
      return () => batch.fail(new StatusError("CANCELLED", "the request was given up"));
    }
    const now = performance.now();
    this.runner.observe(
      this.plan,
      batch.rows,
      batch.pieces.map((piece) => [piece.rows, now - piece.since]),
    );
    this.runner.retain();
    try {
      const running = this.runner.run(this.plan, batch.tensors());
      // The engine has copied them.
      const slabs = batch.release(this.limits.maxBatchSize);
      if (slabs && this.slabs.length < keptSlabs) this.slabs.push(slabs);
      const outputs = await running;
      return () => batch.split(outputs);
    } catch (error) {
      this.runner.failed(error);
      return () => batch.fail(asStatusError(error));
    } finally {
      this.runner.release();
    }
  }

  private refuseWhereFull(): void {
    const { maxEnqueuedBatches } = this.limits;
    if (this.waiting.length < maxEnqueuedBatches) return;
    throw fullQueue(
      this.waiting.reduce((n, { pieces }) => n + pieces.length, 0),
      maxEnqueuedBatches,
    );
  }

  private seal(batch: Batch): void {
    batch.sealed = true;
    this.announce(batch);
  }

  /** What else the event loop has read by then joins the batch; so does all that comes while the engine is busy. */
  private announceLater(batch: Batch): void {
    const { batchTimeoutMicros } = this.limits;
    if (batchTimeoutMicros === 0) setImmediate(() => this.announce(batch));
    else batch.timer = setTimeout(() => this.announce(batch), batchTimeoutMicros / 1000);
  }

  private announce(batch: Batch): void {
    if (batch.announced) return;
    batch.announced = true;
    clearTimeout(batch.timer);
    this.scheduler.add(this);
  }
}

export function fullQueue(tasks: number, capacity: number): StatusError {
  return new StatusError(
    "UNAVAILABLE",
    `The batch scheduling queue to which this task was submitted is full; currently ${tasks} tasks enqueued and ` +
      `max_enqueued_batches capacity is ${capacity}`,
  );
}
