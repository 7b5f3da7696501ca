// What made each live buffer. Backends keep a number with a buffer's memory; what the numbers mean is kept here.

import { remember } from "../ir/remember.js";
import { type CallSite, captureSites, formatSite } from "../types/site.js";
import type { Backend, Bound, Buf, Origins } from "./backend.js";
import type { BoundGraph } from "./compiled-graph.js";
import type { TensorType } from "./tensor-type.js";

/** What made a buffer. */
export interface Maker {
  /** An op, a function as "name()", or one of the names below. */
  readonly op: string;
  readonly type: TensorType;
  /** The line of the user that asked for it, where sites are tracked. */
  readonly site: CallSite | undefined;
}

/** What is no result of a program. */
export const uploaded = "upload";
export const inVariable = "variable";
export const inFile = "file";
/** A number that the engine keeps as a tensor: it is not the user's. */
export const keptNumber = "number";

/** What the results of a function are called. */
export const functionName = (name: string): string => `${name || "fn"}()`;

/** The name of a program's result by its place: an op, "name()", or inVariable. */
export type ResultName = (result: number) => string;

interface Entry extends Maker {
  /** Whether a bound program may still make such buffers. */
  held: boolean;
}

/** Entries from which on those that nothing uses any more are looked for. */
const minSweep = 4096;

/** The meaning of the numbers that backends keep. */
export class OriginTable {
  /** Whether buffers are told apart by the line that asked for them. A stack costs more than an op. */
  tracksSites = false;
  private readonly entries = new Map<number, Entry>();
  /** Those that are no results of bound programs, by type, then name and site. */
  private readonly shared = new Map<TensorType, Map<string, number>>();
  private readonly keepers = new Set<Origins>();
  private next = 1;
  private sweepAt = minSweep;

  /** Numbers for the results of a new bound program; the first one, or 0 where the backend keeps none. */
  enter({ origins }: Backend, bound: Bound, outs: readonly TensorType[], nameOf: ResultName): number {
    if (!origins) return 0;
    this.makeRoom(origins);
    const first = this.next;
    for (const [i, type] of outs.entries()) this.add({ op: nameOf(i), type, site: undefined, held: true });
    // Programs with host calls have negative numbers, which backends do not know: see mark.
    if (bound >= 0) origins.setBound(bound, first);
    return first;
  }

  /** The bound program was given back; what it made may live on. */
  leave({ origin, outs }: BoundGraph): void {
    for (const i of outs.keys()) {
      const entry = this.entries.get(origin + i);
      if (entry) entry.held = false;
    }
  }

  /** Says what made a buffer that no bound program made, or what it is from now on. */
  mark(type: TensorType, buf: Buf, op: string): void {
    const { origins } = type.device.backend;
    origins?.set(buf, this.of(origins, type, op, op === keptNumber ? undefined : this.site()));
  }

  /** As `mark`, for the results of a program with host calls: those that are no argument passed through. */
  markResults({ origin, outs }: BoundGraph, bufs: readonly Buf[]): void {
    for (const [i, { device }] of outs.entries()) device.backend.origins?.set(bufs[i]!, origin + i, 0);
  }

  /** Tells the results of a program apart by the user's line that is running it. */
  markSite({ origin, outs }: BoundGraph, bufs: readonly Buf[]): void {
    const site = this.site();
    for (const [i, type] of outs.entries()) {
      const { origins } = type.device.backend;
      const entry = this.entries.get(origin + i);
      if (origins && entry) origins.set(bufs[i]!, this.of(origins, type, entry.op, site), origin + i);
    }
  }

  /** The meaning of a number; undefined for 0. */
  get(origin: number): Maker | undefined {
    return this.entries.get(origin);
  }

  /** How many numbers have a meaning. */
  get size(): number {
    return this.entries.size;
  }

  private site(): CallSite | undefined {
    return this.tracksSites ? captureSites(1)[0] : undefined;
  }

  private of(keeper: Origins, type: TensorType, op: string, site: CallSite | undefined): number {
    const key = keyOf(op, site);
    const known = this.shared.get(type)?.get(key);
    if (known !== undefined) return known;
    this.makeRoom(keeper);
    const made = this.add({ op, type, site, held: false });
    remember(this.shared, type, () => new Map<string, number>()).set(key, made);
    return made;
  }

  private add(entry: Entry): number {
    this.entries.set(this.next, entry);
    return this.next++;
  }

  /** Forgets what no live buffer is of, whenever the table has doubled. */
  private makeRoom(keeper: Origins): void {
    this.keepers.add(keeper);
    if (this.entries.size < this.sweepAt) return;
    const live = new Set([...this.keepers].flatMap((one) => [...one.live()].map(({ origin }) => origin)));
    for (const [origin, { op, type, site, held }] of this.entries) {
      if (held || live.has(origin)) continue;
      this.entries.delete(origin);
      const names = this.shared.get(type);
      const key = keyOf(op, site);
      if (names?.get(key) !== origin) continue;
      names.delete(key);
      if (names.size === 0) this.shared.delete(type);
    }
    this.sweepAt = Math.max(minSweep, 2 * this.entries.size);
  }
}

function keyOf(op: string, site: CallSite | undefined): string {
  return site ? `${op} ${formatSite(site)}` : op;
}

/** The origins of this copy of core. */
export const origins: OriginTable = new OriginTable();
