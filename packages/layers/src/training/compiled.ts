// What `compile` makes: the optimizer, a loss for each output, and the metrics, whose sums are part of each step.
import * as tf from "@millrace/autodiff";
import { MillraceError, type Tensor } from "@millrace/autodiff";
import { canonicalName } from "@millrace/autodiff/support";
import type { Logs } from "../callbacks/callback.js";
import { get as getLoss, type Loss, type LossIdentifier } from "../losses/index.js";
import { accuracyFor } from "../metrics/accuracy.js";
import { get as getMetric, Mean, type Metric, type MetricIdentifier } from "../metrics/index.js";
import { get as getOptimizer, type Optimizer, type OptimizerIdentifier } from "../optimizers/index.js";
import { complete, type Defaults } from "../util/options.js";
import type { Signal } from "../util/platform.js";
import type { BatchShape } from "../util/shapes.js";

/** One for all outputs, a list in their order, or a record by their names. */
export type ForOutputs<T> = T | readonly T[] | Readonly<Record<string, T>>;

/**
 * Options of `compile`.
 * @public
 */
export interface CompileOptions {
  readonly optimizer: OptimizerIdentifier;
  /** What training makes less; may be left out where layers add losses of their own. */
  readonly loss?: ForOutputs<LossIdentifier> | null;
  /** How much the loss of each output counts. */
  readonly lossWeights?: readonly number[] | Readonly<Record<string, number>> | null;
  /** What is measured beside the loss. */
  readonly metrics?:
    | readonly MetricIdentifier[]
    | readonly (readonly MetricIdentifier[])[]
    | Readonly<Record<string, MetricIdentifier | readonly MetricIdentifier[]>>;
}

const defaults: Defaults<CompileOptions> = { optimizer: "rmsprop", loss: null, lossWeights: null, metrics: [] };

/** A compiled model's losses and metrics. */
export class Compiled {
  readonly optimizer: Optimizer;
  /** What `compile` was given. */
  readonly options: CompileOptions;
  /** Whether the optimizer was made here, not given. */
  private readonly ownsOptimizer: boolean;
  private readonly losses: readonly (Loss | null)[];
  private readonly lossWeights: readonly number[];
  private readonly wanted: readonly (readonly MetricIdentifier[])[];
  private readonly outputNames: readonly string[];
  private readonly lossTracker: Mean = new Mean({ name: "loss" });
  /** The loss of each output, where there is more than one. */
  private readonly outputTrackers: readonly Mean[];
  /** By output; null before the shapes of labels are known, which say what "accuracy" means. */
  private metrics: readonly (readonly Metric[])[] | null = null;

  constructor(options: CompileOptions, outputNames: readonly string[]) {
    const { optimizer, loss, lossWeights, metrics } = complete("compile", options, defaults);
    this.options = options;
    this.optimizer = getOptimizer(optimizer);
    this.ownsOptimizer = this.optimizer !== optimizer;
    this.outputNames = outputNames;
    const losses = loss === null ? outputNames.map(() => null) : spread("loss", loss, outputNames, null);
    this.losses = losses.map((id) => (id === null ? null : getLoss(id)));
    this.lossWeights =
      lossWeights === null ? outputNames.map(() => 1) : spread<number>("lossWeights", lossWeights, outputNames, 1);
    this.wanted = metricsByOutput(metrics, outputNames);
    this.outputTrackers = outputNames.length > 1 ? outputNames.map((name) => new Mean({ name: `${name}_loss` })) : [];
    // Unknown names fail now, not at the first batch.
    for (const id of this.wanted.flat()) if (!isAccuracy(id)) getMetric(id);
  }

  /** Makes metrics and all state, before a step is traced. */
  build(labels: readonly BatchShape[], predictions: readonly BatchShape[]): void {
    this.metrics ??= this.wanted.map((ids, output) =>
      ids.map((id) => {
        const [t, p] = [labels[output], predictions[output]];
        return isAccuracy(id) && t && p ? accuracyFor(t, p, id) : named(getMetric(id), id);
      }),
    );
    for (const metric of this.allMetrics()) metric.build();
  }

  /** The loss of a batch: of each output, and the sum with what layers add. */
  loss(
    ys: readonly Tensor[],
    outputs: readonly Tensor[],
    weights: readonly Tensor[],
    added: readonly Tensor[],
  ): { total: Tensor; parts: (Tensor | null)[] } {
    if (ys.length > 0 && ys.length !== outputs.length) {
      throw new MillraceError("E_ARGUMENT", `the model has ${outputs.length} outputs, the batch ${ys.length} labels`);
    }
    const parts = this.losses.map((loss, i) => {
      if (loss === null) return null;
      const y = ys[i];
      if (!y) throw new MillraceError("E_ARGUMENT", `the loss "${loss.name}" needs labels, and the batch has none`);
      return loss.apply(y, outputs[i]!, weights[i] ?? (ys.length > 1 ? weights[0] : undefined) ?? null);
    });
    const scaled = parts.flatMap((part, i) =>
      part === null ? [] : [this.lossWeights[i] === 1 ? part : tf.mul(part, this.lossWeights[i]!)],
    );
    const all: Tensor[] = [...scaled, ...added];
    if (all.length === 0) throw new MillraceError("E_ARGUMENT", "there is no loss: give compile one");
    return { total: all.reduce((a, b) => tf.add(a, b)), parts };
  }

  /** Takes a batch into the sums; part of the step. */
  update(
    ys: readonly Tensor[],
    outputs: readonly Tensor[],
    weights: readonly Tensor[],
    loss: { readonly total: Tensor; readonly parts: readonly (Tensor | null)[] },
    size: Tensor,
  ): void {
    this.lossTracker.updateState(loss.total, size);
    this.outputTrackers.forEach((tracker, i) => {
      if (loss.parts[i]) tracker.updateState(loss.parts[i], size);
    });
    this.metrics!.forEach((metrics, i) => {
      for (const metric of metrics) if (ys[i]) metric.updateState(ys[i], outputs[i]!, weights[i] ?? null);
    });
  }

  private allMetrics(): readonly Metric[] {
    return [this.lossTracker, ...this.outputTrackers, ...(this.metrics ?? []).flat()];
  }

  /** Gives back the memory of what was made here; an optimizer or metric that was given stays its maker's. */
  dispose(): void {
    const given = new Set<unknown>(this.wanted.flat());
    for (const metric of this.allMetrics()) if (!given.has(metric)) metric.dispose();
    if (this.ownsOptimizer) this.optimizer.dispose();
  }

  /** With a signal waits for the step that was begun last; an abort cancels it, and what it assigns stays as it was. */
  async settled(signal: Signal | null): Promise<void> {
    if (signal) await this.lossTracker.variables[0]!.data({ signal });
  }

  /** Forgets all batches. */
  reset(): void {
    for (const metric of this.allMetrics()) metric.resetState();
  }

  /** The numbers since the last reset, in Keras's names. Waits for the device. */
  async read(): Promise<Logs> {
    const entries = [this.lossTracker, ...this.outputTrackers].map((metric) => [metric.name, metric] as const);
    this.metrics?.forEach((metrics, i) => {
      const prefix = this.outputNames.length > 1 ? `${this.outputNames[i]}_` : "";
      entries.push(...metrics.map((metric) => [`${prefix}${metric.name}`, metric as Mean] as const));
    });
    const results = entries.map(([, metric]) => metric.result());
    try {
      const values = await Promise.all(results.map((x) => x.item()));
      return Object.fromEntries(entries.map(([name], i) => [name, Number(values[i])]));
    } finally {
      tf.dispose(results);
    }
  }
}

function isAccuracy(id: MetricIdentifier): id is string {
  return typeof id === "string" && ["accuracy", "acc"].includes(canonicalName(id));
}

/** A metric given by name is called as the user spelled it, as Keras does. */
function named(metric: Metric, id: MetricIdentifier): Metric {
  if (typeof id === "string") Object.defineProperty(metric, "name", { value: id });
  return metric;
}

/** One value for each output. */
function spread<T>(what: string, given: ForOutputs<T>, names: readonly string[], absent: T | null): T[] {
  const fail = (message: string): never => {
    throw new MillraceError("E_ARGUMENT", `compile: ${what} ${message}; the outputs are ${names.join(", ")}`);
  };
  if (Array.isArray(given)) {
    const list = given as readonly T[];
    return list.length === names.length ? [...list] : fail(`has ${list.length} entries`);
  }
  if (isRecord(given)) {
    const unknown = Object.keys(given as object).find((name) => !names.includes(name));
    if (unknown !== undefined) fail(`names the output "${unknown}"`);
    return names.map((name) => (given as Readonly<Record<string, T>>)[name] ?? (absent as T));
  }
  return names.map(() => given as T);
}

/** A plain object, not an instance of a class or a serialized one. */
function isRecord(value: unknown): boolean {
  if (typeof value !== "object" || value === null || "className" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function metricsByOutput(
  metrics: Exclude<CompileOptions["metrics"], undefined>,
  names: readonly string[],
): (readonly MetricIdentifier[])[] {
  if (!Array.isArray(metrics)) {
    return spread(
      "metrics",
      metrics as Readonly<Record<string, MetricIdentifier | readonly MetricIdentifier[]>>,
      names,
      null,
    ).map((ids) =>
      ids === null ? [] : Array.isArray(ids) ? (ids as readonly MetricIdentifier[]) : [ids as MetricIdentifier],
    );
  }
  const list = metrics as readonly (MetricIdentifier | readonly MetricIdentifier[])[];
  if (list.some(Array.isArray)) return spread("metrics", list as readonly (readonly MetricIdentifier[])[], names, null);
  return names.map(() => list as readonly MetricIdentifier[]);
}
