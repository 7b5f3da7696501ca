// How training goes, for people: a bar on a terminal, else a line an epoch, through the logger.
import { getLogger, MillraceError } from "@millrace/autodiff";
import { Callback, type Logs, type ReadLogs } from "./callback.js";

/**
 * "auto": a bar on a terminal, else a line an epoch; 0 silent, 1 the bar, 2 the lines.
 * @public
 */
export type Verbosity = "auto" | 0 | 1 | 2;

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Standard error where there is one: a browser has none. */
function terminal(): Terminal | undefined {
  // boundary: what Node has beside a browser, looked up so that nothing of Node is imported
  return (globalThis as { readonly process?: { readonly stderr?: Terminal } }).process?.stderr;
}

/** What "auto" means here. */
export function resolveVerbosity(verbose: Verbosity): 0 | 1 | 2 {
  if (verbose !== "auto") {
    if ([0, 1, 2].includes(verbose)) return verbose;
    throw new MillraceError("E_ARGUMENT", `verbose is "auto", 0, 1 or 2, got ${String(verbose)}`);
  }
  return terminal()?.isTTY === true ? 1 : 2;
}

/** The bar is drawn at most this often, since each time waits for the device. */
const redrawMs = 100;
/** A long epoch says how far it is this often where there is no bar. */
const reportMs = 60_000;
/** Cursor up, clear the line: the next message takes the place of the last. */
const overwrite = "\u001b[1A\u001b[2K";

/**
 * Writes how training goes. `fit` adds it unless `verbose` is 0.
 * @public
 */
export class ProgbarLogger extends Callback {
  private epochStart = 0;
  private lastReport = 0;
  private drawn = false;
  private batches = 0;

  private get isBar(): boolean {
    return this.params.verbose === 1;
  }

  override onEpochBegin(epoch: number): void {
    this.epochStart = Date.now();
    this.lastReport = this.epochStart;
    this.drawn = false;
    this.batches = 0;
    if (this.isBar) getLogger().info(`Epoch ${epoch + 1}/${this.params.epochs}`);
  }

  override onTrainBatchEnd(batch: number, logs: ReadLogs): void | Promise<void> {
    this.batches = batch + 1;
    const now = Date.now();
    if (now - this.lastReport < (this.isBar ? redrawMs : reportMs)) return;
    this.lastReport = now;
    return logs().then((numbers) => this.report(numbers));
  }

  private report(logs: Logs): void {
    const { steps } = this.params;
    const seconds = (Date.now() - this.epochStart) / 1000;
    const left = steps === null ? "" : ` - ${duration((seconds / this.batches) * (steps - this.batches))} left`;
    if (this.isBar) this.draw(`${this.progress()}${left} - ${showLogs(logs)}`);
    else getLogger().info(`${this.batches}/${steps ?? "?"}${left} - ${showLogs(logs)}`);
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const seconds = (Date.now() - this.epochStart) / 1000;
    const perStep = this.batches > 0 ? ` - ${duration(seconds / this.batches)}/step` : "";
    const what = `${duration(seconds)}${perStep} - ${showLogs(logs)}`;
    if (this.isBar) this.draw(`${this.progress()} - ${what}`);
    else getLogger().info(`Epoch ${epoch + 1}/${this.params.epochs} - ${this.batches} steps - ${what}`);
  }

  /** "120/250 ━━━━━━━━━━━━━━━━────" */
  private progress(): string {
    const { steps } = this.params;
    if (steps === null) return `${this.batches} steps`;
    const width = 20;
    const full = Math.min(width, Math.floor((width * this.batches) / Math.max(steps, 1)));
    return `${this.batches}/${steps} ${"━".repeat(full)}${"─".repeat(width - full)}`;
  }

  /** A line that takes the place of the last; cut to the terminal, since a line that wraps cannot be taken back. */
  private draw(line: string): void {
    const columns = terminal()?.columns;
    const cut = columns !== undefined && line.length > columns ? line.slice(0, columns) : line;
    getLogger().info(this.drawn ? `${overwrite}${cut}` : cut);
    this.drawn = true;
  }
}

/** "loss: 0.4213 - accuracy: 0.8712" */
export function showLogs(logs: Logs): string {
  return Object.entries(logs)
    .map(
      ([name, value]) =>
        `${name}: ${Math.abs(value) >= 1e-3 || value === 0 ? value.toFixed(4) : value.toExponential(4)}`,
    )
    .join(" - ");
}

/** "12ms", "3.4s", "2m 05s" */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}m ${`${whole % 60}`.padStart(2, "0")}s`;
}
