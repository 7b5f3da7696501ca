import type { HostArray } from "@millrace/core/graph";
import type { SignaturePlan } from "../models/signature.js";
import { asStatusError } from "../status.js";
import type { Waiter } from "./batch.js";
import { fullQueue, type Runner } from "./queue.js";
import type { Scheduler } from "./scheduler.js";

interface Task {
  readonly inputs: readonly HostArray[];
  readonly waiter: Waiter;
  readonly since: number;
}

/** Requests of a signature that cannot be put together: each runs alone, in turn. */
export class SingleQueue {
  private readonly plan: SignaturePlan;
  private readonly capacity: number;
  private readonly runner: Runner;
  private readonly scheduler: Scheduler;
  private readonly waiting: Task[] = [];

  constructor(plan: SignaturePlan, capacity: number, runner: Runner, scheduler: Scheduler) {
    this.plan = plan;
    this.capacity = capacity;
    this.runner = runner;
    this.scheduler = scheduler;
  }

  get depth(): number {
    return this.waiting.length;
  }

  /** @throws StatusError UNAVAILABLE where the queue is full */
  add(inputs: readonly HostArray[], waiter: Waiter): void {
    if (this.waiting.length >= this.capacity) throw fullQueue(this.waiting.length, this.capacity);
    this.waiting.push({ inputs, waiter, since: performance.now() });
    this.scheduler.add(this);
  }

  async runNext(): Promise<() => void> {
    const task = this.waiting.shift();
    if (!task || task.waiter.isDead()) return () => {};
    const { inputs, waiter, since } = task;
    this.runner.observe(this.plan, 1, [[1, performance.now() - since]]);
    this.runner.retain();
    try {
      const outputs = await this.runner.run(this.plan, inputs);
      return () => waiter.done(outputs);
    } catch (error) {
      this.runner.failed(error);
      return () => waiter.fail(asStatusError(error));
    } finally {
      this.runner.release();
    }
  }
}
