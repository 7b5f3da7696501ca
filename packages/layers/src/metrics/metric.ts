// Numbers that are gathered over batches. Their sums are variables, so that a whole step, metrics included, is one program.

import type { Tensor, Variable } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { alignWeights, countElements } from "../losses/shapes.js";
import { uniqueName } from "../util/names.js";

/**
 * Gathers a number over batches.
 * @public
 */
export abstract class Metric {
  static readonly className: string;
  readonly name: string;
  private readonly state: Variable[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Takes a batch in; may be part of a tf.function. */
  abstract updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor | null): void;

  /** The number for what was taken in since the last reset: a scalar. */
  abstract result(): Tensor;

  /** Makes the state before a function that updates it is traced. */
  build(): void {}

  /** A scalar of state that starts, and starts again, at 0. */
  protected addVariable(name: string): Variable {
    const initial: Tensor = tf.scalar(0, "float32");
    const made: Variable = tf.variable(initial, { name: uniqueName(`${this.name}/${name}`), trainable: false });
    initial.dispose();
    this.state.push(made);
    return made;
  }

  /** The state. */
  get variables(): readonly Variable[] {
    return this.state;
  }

  /** Forgets all batches. */
  resetState(): void {
    tf.tidy(() => {
      for (const variable of this.state) variable.assign(0);
    });
  }

  /** What the constructor takes to make this metric again. */
  getConfig(): Record<string, unknown> {
    return { name: this.name };
  }

  /** Gives the memory of the state back. */
  dispose(): void {
    for (const variable of this.state.splice(0)) variable.dispose();
  }
}

/** The weighted sum of values over the sum of weights; what Mean and the means of functions share. */
export abstract class Average extends Metric {
  private sums: { readonly total: Variable; readonly count: Variable } | null = null;

  override build(): void {
    this.sums ??= { total: this.addVariable("total"), count: this.addVariable("count") };
  }

  override dispose(): void {
    super.dispose();
    this.sums = null;
  }

  protected take(values: Tensor, sampleWeight: Tensor | null): void {
    this.build();
    tf.tidy(() => {
      const { total, count } = this.sums!;
      const numbers: Tensor = tf.cast(values, "float32");
      if (sampleWeight === null) {
        total.assignAdd(tf.sum(numbers));
        count.assignAdd(countElements(numbers));
        return;
      }
      const weights: Tensor = tf.mul(alignWeights(sampleWeight, numbers), tf.onesLike(numbers));
      total.assignAdd(tf.sum(tf.mul(numbers, weights)));
      count.assignAdd(tf.sum(weights));
    });
  }

  /** 0 where nothing was taken in. */
  override result(): Tensor {
    this.build();
    const { total, count } = this.sums!;
    return tf.tidy(() => tf.divNoNan(total, count) as Tensor);
  }
}

/**
 * Options of a metric.
 * @public
 */
export interface MetricConfig {
  readonly name?: string | null;
}

/**
 * The mean of values.
 * @example const m = tf.metrics.mean(); m.updateState(tf.tensor([1, 3])); await m.result().item() // 2
 * @public
 */
export class Mean extends Average {
  static override readonly className: string = "Mean";
  constructor(config: MetricConfig = {}) {
    super(config.name ?? "mean");
  }
  /** Takes values in; `weights` says how much each counts. */
  override updateState(values: Tensor, weights?: Tensor | null): void {
    this.take(values, weights ?? null);
  }
}

/**
 * A function of labels and predictions that gives a number for each sample.
 * @public
 */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * The mean of a function of labels and predictions.
 * @public
 */
export class MeanMetricWrapper extends Average {
  static override readonly className: string = "MeanMetricWrapper";
  private readonly f: MetricFunction;
  constructor(f: MetricFunction, name: string) {
    super(name);
    this.f = f;
  }
  override updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor | null): void {
    this.take(this.f(yTrue, yPred), sampleWeight ?? null);
  }
}
