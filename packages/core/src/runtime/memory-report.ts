// What tf.memory() says.
import { formatShape } from "../ir/aval.js";
import { remember } from "../ir/remember.js";
import type { DType } from "../types/dtype.js";
import { type CallSite, formatSite } from "../types/site.js";
import type { Backend, LiveMemory, MemoryStats } from "./backend.js";
import { startedBackends } from "./backends.js";
import { engine } from "./engine.js";
import { keptNumber, origins } from "./origins.js";
import { inspect } from "./tensor.js";

/** Live tensors that one op made, of one dtype and shape. */
export interface LiveTensors {
  /**
   * An op, a function as "name()", "upload" for what came from JavaScript, "file" for what lies in one that is mapped,
   * "variable", or "other" where the backend does not say.
   */
  readonly op: string;
  /** Absent for "other", like the shape. */
  readonly dtype?: DType;
  readonly shape?: readonly number[];
  /** The user's line that asked for them, where tf.debugging.trackSites was on. */
  readonly site?: CallSite;
  readonly tensors: number;
  readonly bytes: number;
}

/** What tf.memory() reports: live tensors and bytes. Those that share memory, as a reshape does, are counted as one. */
export interface Memory {
  /** Without files that are mapped. */
  readonly numBytes: number;
  readonly numTensors: number;
  /** What is live by what made it, most bytes first; together all of it, files too. */
  readonly byOp: readonly LiveTensors[];
  readonly backends: Readonly<Record<string, MemoryStats>>;
  /** A table; console.log shows it too. */
  toString(): string;
}

/**
 * Live tensors and bytes of every backend that runs, and what made them; printed, it is a table. What the engine keeps
 * for itself is left out. tf.debugging.trackSites tells them apart by your lines too.
 * @example
 *     const x = tf.tensor([1, 2, 3]);
 *     const y = x.add(1).reshape([3, 1]);
 *     tf.memory().byOp.find((made) => made.op === "add"); // { op: "add", dtype: "float32", shape: [3], tensors: 1, bytes: 12 }
 */
export function memory(): Memory {
  const started = startedBackends();
  const backends = Object.fromEntries(started.map((b) => [b.name, b.stats()]));
  const all = Object.values(backends);
  const owned = engine.scalars.owned();
  return new MemoryReport({
    numBytes: all.reduce((n, s) => n + s.liveBytes, 0) - owned.bytes,
    numTensors: all.reduce((n, s) => n + s.liveBuffers, 0) - owned.tensors,
    byOp: liveByOp(started),
    backends,
  });
}

interface Counts {
  tensors: number;
  bytes: number;
}

function liveByOp(backends: readonly Backend[]): LiveTensors[] {
  const rows = new Map<string, LiveTensors & Counts>();
  for (const { origin, buffers, bytes } of backends.flatMap(liveOf)) {
    const { op, type, site } = origins.get(origin) ?? { op: "other", type: undefined, site: undefined };
    const kept = type && op === keptNumber ? engine.scalars.count(type) : 0;
    if (buffers === kept) continue;
    // boundary: a type of live memory has sizes that are known
    const shape = type?.shape as readonly number[] | undefined;
    const what = { op, ...(type && shape ? { dtype: type.dtype, shape } : {}), ...(site ? { site } : {}) };
    const row = remember(rows, describe(what), () => ({ ...what, tensors: 0, bytes: 0 }));
    row.tensors += buffers - kept;
    row.bytes += bytes - kept * (type?.bytes ?? 0);
  }
  const inOrder = [...rows].sort(([p, a], [q, b]) => b.bytes - a.bytes || b.tensors - a.tensors || (p < q ? -1 : 1));
  return inOrder.map(([, row]) => row);
}

/** What is live on a backend; where it does not say of what, that is all of no origin. */
function liveOf(backend: Backend): LiveMemory[] {
  if (backend.origins) return [...backend.origins.live()];
  const { liveBuffers, liveBytes } = backend.stats();
  return liveBuffers > 0 ? [{ origin: 0, buffers: liveBuffers, bytes: liveBytes }] : [];
}

/** Rows of the table that are shown. */
const maxRows = 20;

/** A report that prints as a table. */
export class MemoryReport implements Memory {
  readonly numBytes: number;
  readonly numTensors: number;
  readonly byOp: readonly LiveTensors[];
  readonly backends: Readonly<Record<string, MemoryStats>>;

  constructor(parts: Pick<Memory, "numBytes" | "numTensors" | "byOp" | "backends">) {
    this.numBytes = parts.numBytes;
    this.numTensors = parts.numTensors;
    this.byOp = parts.byOp;
    this.backends = parts.backends;
  }

  toString(): string {
    const { byOp, numBytes, numTensors } = this;
    const head = `${numTensors} ${numTensors === 1 ? "tensor" : "tensors"}, ${formatBytes(numBytes)}`;
    const shown = byOp.slice(0, maxRows);
    const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
    const [counts, sizes] = [shown.map((row) => `${row.tensors}`), shown.map((row) => formatBytes(row.bytes))];
    const [countWidth, sizeWidth] = [widest(counts), widest(sizes)];
    const lines = shown.map((row, i) => {
      return `  ${counts[i]!.padStart(countWidth)}  ${sizes[i]!.padStart(sizeWidth)}  ${describe(row)}`;
    });
    const left = byOp.length > shown.length ? [`  and ${byOp.length - shown.length} kinds more`] : [];
    return [head, ...lines, ...left].join("\n");
  }
}

/** What console.log shows. */
Object.defineProperty(MemoryReport.prototype, inspect, {
  value(this: MemoryReport): string {
    return this.toString();
  },
});

function describe({ op, dtype, shape, site }: Omit<LiveTensors, keyof Counts>): string {
  const what = dtype && shape ? `${op} ${dtype}${formatShape(shape)}` : op;
  return site ? `${what} at ${formatSite(site)}` : what;
}

const units = ["B", "kB", "MB", "GB", "TB"];

/** Three figures: "128 B", "1.05 MB". */
function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}
