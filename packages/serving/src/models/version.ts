import { type Executable, type Tensor, tensor } from "@millrace/core";
import { allocate, countOf, defaultSignature, type HostArray, remember } from "@millrace/core/graph";
import type { Waiter } from "../batching/batch.js";
import { BatchQueue, type Runner } from "../batching/queue.js";
import { Scheduler } from "../batching/scheduler.js";
import { SingleQueue } from "../batching/single-queue.js";
import type { QueueLimits } from "../limits.js";
import type { Metrics } from "../metrics.js";
import { asStatusError } from "../status.js";
import { planSignature, rowsOf, type SignaturePlan } from "./signature.js";

/** What a version shares with all others of its server. */
export interface Host {
  /** Batches of a version that run at a time. */
  readonly slots: number;
  readonly limits: QueueLimits;
  readonly metrics: Metrics;
  /** Hears of errors that are the server's own. */
  readonly onError: (where: string, error: unknown) => void;
}

/** Shapes that requests of one signature have at a time and that are kept apart. */
const maxQueues = 64;

/** A loaded version of a model: its signatures and their queues. It is given back when nobody needs it any more. */
export class ServedVersion implements Runner {
  readonly model: string;
  readonly number: number;
  readonly signatures: ReadonlyMap<string, SignaturePlan>;
  private readonly executable: Executable;
  private readonly isOwned: boolean;
  private readonly host: Host;
  private readonly queues = new Map<SignaturePlan, Map<string, BatchQueue>>();
  private readonly singles = new Map<SignaturePlan, SingleQueue>();
  private readonly scheduler: Scheduler;
  private users = 0;
  private onUnused: (() => void) | undefined;

  /** @param isOwned whether the executable ends with the version */
  constructor(model: string, number: number, executable: Executable, isOwned: boolean, host: Host) {
    this.model = model;
    this.number = number;
    this.executable = executable;
    this.isOwned = isOwned;
    this.host = host;
    this.scheduler = new Scheduler(host.slots, (error) => this.failed(error));
    this.signatures = new Map(
      Object.entries(executable.signatures).map(([name, signature]) => [name, planSignature(name, signature)]),
    );
  }

  /** The signature of that name, or the default one: "serving_default", or the only one there is. */
  signature(name: string | undefined): SignaturePlan | undefined {
    if (name !== undefined && name !== "") return this.signatures.get(name);
    const [only, ...others] = this.signatures.values();
    return others.length === 0 ? only : this.signatures.get(defaultSignature);
  }

  /** The queue for rows of the signature's own shapes; undefined where these leave sizes open. */
  fixedQueue(plan: SignaturePlan): BatchQueue | undefined {
    return plan.rowShapes && this.queue(plan, plan.rowShapes);
  }

  /** Adds a request whose tensors were checked against the signature. */
  add(plan: SignaturePlan, inputs: readonly HostArray[], waiter: Waiter): void {
    if (plan.isBatched) {
      const shapes = inputs.map((x) => x.shape.slice(1));
      this.queue(plan, shapes).add(inputs, rowsOf(plan, inputs), waiter);
      return;
    }
    const { maxBatchSize, maxEnqueuedBatches } = this.host.limits;
    const capacity = maxBatchSize * maxEnqueuedBatches;
    const make = (): SingleQueue => new SingleQueue(plan, capacity, this, this.scheduler);
    remember(this.singles, plan, make).add(inputs, waiter);
  }

  private queue(plan: SignaturePlan, shapes: readonly (readonly number[])[]): BatchQueue {
    const key = plan.rowShapes ? "" : shapes.map((shape) => shape.join()).join(";");
    const queues = remember(this.queues, plan, () => new Map<string, BatchQueue>());
    const known = queues.get(key);
    if (known) return known;
    if (queues.size >= maxQueues) for (const [k, q] of queues) if (q.isEmpty) queues.delete(k);
    const made = new BatchQueue(plan, shapes, this.host.limits, this, this.scheduler);
    queues.set(key, made);
    return made;
  }

  /** Rows that wait for their turn. */
  get depth(): number {
    let rows = 0;
    for (const queues of this.queues.values()) for (const queue of queues.values()) rows += queue.depth;
    for (const single of this.singles.values()) rows += single.depth;
    return rows;
  }

  async run(plan: SignaturePlan, inputs: readonly HostArray[]): Promise<HostArray[]> {
    const start = performance.now();
    const args: Tensor[] = [];
    let made: Readonly<Record<string, Tensor>>;
    try {
      for (const { data, shape, dtype } of inputs) args.push(tensor(data, shape, dtype));
      made = this.executable.run(args, { signature: plan.name });
    } finally {
      for (const x of args) x.dispose();
    }
    const outputs = plan.outputs.map(({ name }) => made[name]!);
    try {
      const read = await Promise.all(
        outputs.map(async (x): Promise<HostArray> => ({ dtype: x.dtype, shape: x.shape, data: await x.data() })),
      );
      this.host.metrics.ran(this, performance.now() - start);
      return read;
    } finally {
      for (const x of outputs) x.dispose();
    }
  }

  /** Runs one row of zeros, so that the first request finds the programs compiled. What zeros break is no error. */
  async warmUp(): Promise<void> {
    for (const plan of this.signatures.values()) {
      if (!plan.rowShapes) continue;
      const inputs = plan.rowShapes.map((row, i) => {
        const { dtype } = plan.inputs[i]!;
        return { dtype, shape: [1, ...row], data: allocate(dtype, countOf(row)) };
      });
      await this.run(plan, inputs).catch(() => {});
    }
  }

  retain(): void {
    this.users++;
  }

  release(): void {
    this.users--;
    if (this.users === 0) this.onUnused?.();
  }

  observe(plan: SignaturePlan, rows: number, waits: readonly (readonly [number, number])[]): void {
    this.host.metrics.batched(this, plan, rows, waits);
  }

  failed(error: unknown): void {
    // Sizes that a graph does not take are told to the client alone.
    if (asStatusError(error).status === "INVALID_ARGUMENT") return;
    this.host.onError(`${this.model} version ${this.number}`, error);
  }

  /** Waits for the requests in flight, then gives memory back. */
  async unload(): Promise<void> {
    if (this.users > 0) {
      await new Promise<void>((resolve) => {
        this.onUnused = resolve;
      });
    }
    this.host.metrics.forget(this, [...this.signatures.keys()]);
    if (this.isOwned) this.executable.dispose();
  }
}
