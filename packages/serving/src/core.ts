import { getLogger, isMillraceError, type Logger } from "@millrace/core";
import { Admission } from "./admission.js";
import { Metrics } from "./metrics.js";
import { Model } from "./models/model.js";
import { Registry } from "./models/registry.js";
import type { Load } from "./models/source.js";
import type { Host } from "./models/version.js";
import type { Settings } from "./options.js";
import { asStatusError, StatusError } from "./status.js";

/** What both protocols share: the models, their queues, and what is counted. */
export class ServingCore {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly admission: Admission;
  private timer: NodeJS.Timeout | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    this.admission = new Admission(settings.limits);
    this.metrics = new Metrics(() => this.depths());
    const host: Host = {
      slots: settings.slots,
      limits: settings.queue,
      metrics: this.metrics,
      onError: (where, error) => this.report(where, error),
    };
    const load = settings.load ?? loadVersion;
    this.registry = new Registry(settings.models.map((m) => new Model(m, load, settings.loadRetries, host)));
  }

  /**
   * Loads what there is, then looks again and again.
   * @throws MillraceError where a model has no directory or only broken versions, or a label names none that is loaded
   */
  async start(): Promise<void> {
    try {
      await this.registry.refresh();
      this.registry.check();
    } catch (error) {
      await this.registry.close();
      throw error;
    }
    const { pollMs } = this.settings;
    if (pollMs === 0) return;
    // What stays wrong is reported once.
    let last = "";
    this.timer = setInterval(() => {
      this.registry.refresh().then(
        () => {
          last = "";
        },
        (error: unknown) => {
          if (String(error) !== last) this.report("looking for versions", error);
          last = String(error);
        },
      );
    }, pollMs);
    this.timer.unref();
  }

  /** Refuses new requests and waits for those that were begun, up to `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    clearInterval(this.timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([this.admission.drain(), late]);
    clearTimeout(timer);
  }

  /** Unloads the models, when nothing runs any more. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.registry.close();
  }

  /** Whether new requests are refused. */
  get isClosing(): boolean {
    return this.admission.isClosing;
  }

  /** What went wrong without being a request's fault. */
  report(where: string, error: unknown): void {
    if (error instanceof StatusError) return;
    const text = isMillraceError(error) ? `${error.code}: ${error.message}` : String(error);
    this.logger.error(`serving: ${where}: ${text}`);
  }

  /** An error as it is answered; what was the server's fault is reported. */
  statusOf(where: string, error: unknown): StatusError {
    const status = asStatusError(error);
    if (status.status === "INTERNAL") this.report(where, error);
    return status;
  }

  get logger(): Logger {
    return this.settings.logger ?? getLogger();
  }

  private *depths(): Iterable<{ model: string; number: number; depth: number }> {
    for (const model of this.registry.models.values()) {
      for (const version of model.available) yield { model: model.name, number: version.number, depth: version.depth };
    }
  }
}

const loadVersion: Load = async (directory) => {
  const { loadExecutable } = await import("@millrace/artifact");
  return loadExecutable(directory);
};
