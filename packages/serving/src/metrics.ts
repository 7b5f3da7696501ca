import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { SignaturePlan } from "./models/signature.js";
import { type StatusName, statuses } from "./status.js";

/** The version of a model that something happened to. */
export interface Labelled {
  readonly model: string;
  readonly number: number;
}

/** How a request came. */
export type EntryPoint = "REST" | "GRPC";

/** Microseconds from 10 on, each 1.8 times the last. */
const latencies = Array.from({ length: 33 }, (_, i) => Math.round(10 * 1.8 ** i));
const sizes = Array.from({ length: 15 }, (_, i) => 2 ** i);
const perVersion = ["model_name", "version", "signature_name"] as const;
type PerVersion = (typeof perVersion)[number];

/** What Prometheus is told, under TensorFlow Serving's names, with versions, signatures and the depth of queues beside. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly requests = this.counter("request_count", "Requests by how they ended", [
    "model_name",
    "status",
    "version",
    "signature_name",
  ]);
  private readonly latency = this.histogram(
    "request_latency",
    "Microseconds from a request's last byte to its answer",
    ["model_name", "API", "entrypoint"],
    latencies,
  );
  private readonly runtime = this.histogram(
    "runtime_latency",
    "Microseconds in which a batch ran",
    ["model_name", "API", "runtime"],
    latencies,
  );
  private readonly examples = this.histogram("request_example_counts", "Rows of a request", ["model_name"], sizes);
  private readonly queuing = this.histogram(
    "batching_session:queuing_latency",
    "Microseconds that a request waited for its batch to run",
    [...perVersion],
    latencies,
  );
  private readonly inputSize = this.histogram(
    "batching_session:input_batch_size",
    "Rows of the requests that were put into batches",
    [...perVersion],
    sizes,
  );
  private readonly processedSize = this.histogram(
    "batching_session:processed_batch_size",
    "Rows of the batches that ran",
    [...perVersion],
    sizes,
  );

  /** @param depths asks for the rows that wait, by model and version, whenever someone looks */
  constructor(depths: () => Iterable<Labelled & { readonly depth: number }>) {
    const registers = [this.registry];
    new Gauge({
      name: ":tensorflow:serving:batching_session:queue_depth",
      help: "Rows that wait for a batch to run",
      labelNames: ["model_name", "version"],
      registers,
      collect(): void {
        this.reset();
        for (const { model, number, depth } of depths()) this.set({ model_name: model, version: number }, depth);
      },
    });
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `:tensorflow:serving:${name}`, help, labelNames, registers: [this.registry] });
  }

  private histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({
      name: `:tensorflow:serving:${name}`,
      help,
      labelNames,
      buckets,
      registers: [this.registry],
    });
  }

  /** A request was answered. What names no model that exists is counted under none. */
  answered(
    version: Labelled | undefined,
    plan: SignaturePlan | undefined,
    status: StatusName,
    entrypoint: EntryPoint,
    milliseconds: number,
  ): void {
    const model_name = version?.model ?? "";
    this.requests.inc({ model_name, status, version: version?.number ?? "", signature_name: plan?.name ?? "" });
    this.latency.observe({ model_name, API: "Predict", entrypoint }, milliseconds * 1000);
  }

  /** A batch is about to run, after its requests waited that many milliseconds. */
  batched(version: Labelled, plan: SignaturePlan, rows: number, waits: readonly (readonly [number, number])[]): void {
    const labels = this.labelsOf(version, plan);
    this.processedSize.observe(labels, rows);
    for (const [size, milliseconds] of waits) {
      this.inputSize.observe(labels, size);
      this.queuing.observe(labels, milliseconds * 1000);
      this.examples.observe({ model_name: version.model }, size);
    }
  }

  ran(version: Labelled, milliseconds: number): void {
    this.runtime.observe({ model_name: version.model, API: "Predict", runtime: "Millrace" }, milliseconds * 1000);
  }

  /** Forgets a version that is gone, so that a server which reloads for years does not grow. */
  forget({ model, number }: Labelled, signatures: readonly string[]): void {
    const version = { model_name: model, version: number };
    for (const signature_name of signatures) {
      for (const h of [this.queuing, this.inputSize, this.processedSize]) h.remove({ ...version, signature_name });
    }
    for (const signature_name of ["", ...signatures]) {
      for (const status of Object.keys(statuses)) this.requests.remove({ ...version, signature_name, status });
    }
  }

  private labelsOf({ model, number }: Labelled, { name }: SignaturePlan): Record<PerVersion, string | number> {
    return { model_name: model, version: number, signature_name: name };
  }

  /** The text that Prometheus reads. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}
