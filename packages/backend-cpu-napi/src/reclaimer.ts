import { type Buf, type Reclaimer, unwatched } from "@millrace/core/backend";
import type { NativeContext } from "./addon.js";

const megabyte = 1 << 20;
/** Bytes between two minor collections, at least. */
const minDue = 16 * megabyte;
/** What a tensor takes beside its elements: small ones must not outgrow the caches between collections. */
const overhead = 192;
/** Bytes between two minor collections, at most, while little is live. */
const maxSmallDue = 96 * megabyte;
/** Collection may take this part of the time, unless memory is short. */
const maxShare = 0.1;

/** V8's collector: it runs within the call. */
type Collect = (options?: { readonly type: "minor" | "major" }) => void;

let collect: Collect | null | undefined;

/** The collector of this isolate, or null where MILLRACE_NO_GC=1 forbids it. */
function collector(): Collect | null {
  if (collect === undefined) collect = process.env.MILLRACE_NO_GC === "1" ? null : expose();
  return collect;
}

/** The modules are loaded here, since most processes that only start never collect. */
function expose(): Collect {
  const [v8, vm] = [process.getBuiltinModule("node:v8"), process.getBuiltinModule("node:vm")];
  v8.setFlagsFromString("--expose-gc");
  // boundary: a new V8 context has the function that the flag exposes
  return vm.runInNewContext("gc") as Collect;
}

/** Collecting while a function is traced is no call of that function's. */
const now = (): number => unwatched(performance.now).call(performance);

/**
 * Frees tensors that nobody holds, within the synchronous job that allocates: a page has a weak reference, which is
 * asked after a minor collection. When it is due follows from what survives: V8 promotes what survives two minor
 * collections, so these are spaced by more than what is live; a full one comes when live bytes have doubled.
 */
export class PageReclaimer implements Reclaimer {
  // Before anything is known, tensors are taken for small.
  due: number = minDue / 8;
  private readonly native: NativeContext;
  private readonly limit: number;
  private handles = new Int32Array(64);
  private liveAfterFull = 0;
  /** Milliseconds since the process began, as `now`. */
  private lastEnd = 0;
  /** What had been allocated at the last collection. */
  private bytesBefore = 0;
  private buffersBefore = 0;
  /** Raised while collection takes more than its share. */
  private stretch = 1;

  /** `limit`: the bytes that the context may hold. */
  constructor(native: NativeContext, limit: number) {
    this.native = native;
    this.limit = limit;
  }

  page(token: object, bufs: readonly Buf[]): void {
    if (bufs.length > this.handles.length) this.handles = new Int32Array(bufs.length);
    for (let i = 0; i < bufs.length; i++) this.handles[i] = bufs[i]!;
    this.native.page(token, this.handles, bufs.length);
  }

  poll(full = false): void {
    this.native.poll(full);
  }

  pressure(): void {
    const gc = collector();
    if (!gc) {
      this.adjust();
      return;
    }
    const start = now();
    gc({ type: "minor" });
    this.native.poll(false);
    const young = this.native.liveBytes();
    this.liveAfterFull = Math.min(this.liveAfterFull, young);
    if (young + minDue > this.limit || young > 2 * Math.max(this.liveAfterFull, minDue)) this.collectAll(gc);
    const end = now();
    const share = (end - start) / Math.max(end - this.lastEnd, 1e-3);
    this.stretch = share > maxShare ? Math.min(this.stretch * 2, 4) : Math.max(this.stretch / 2, 1);
    this.lastEnd = end;
    const { allocations, allocatedBytes, liveBytes, liveBuffers } = this.native.stats();
    const average = (allocatedBytes - this.bytesBefore) / Math.max(allocations - this.buffersBefore, 1);
    [this.bytesBefore, this.buffersBefore] = [allocatedBytes, allocations];
    const live = liveBytes + overhead * liveBuffers;
    // What is known to be live, and thrice that altogether: promoted garbage counts until a full collection.
    const base = Math.max(this.liveAfterFull, minDue);
    const wanted = Math.min(Math.max(minDue, 1.1 * live) * this.stretch, Math.max(maxSmallDue, 3 * base - live));
    const elements = wanted * (average / (average + overhead));
    this.due = Math.max(minDue / 64, Math.min(elements, (this.limit - liveBytes) / 2));
  }

  /** A full collection: what an allocation that failed asks for. */
  relieve(): void {
    const gc = collector();
    if (gc) this.collectAll(gc);
    else this.adjust();
    this.native.trim();
  }

  private collectAll(gc: Collect): void {
    gc();
    this.native.poll(true);
    this.liveAfterFull = this.native.liveBytes();
  }

  /** Without a collector of our own: V8 is told what lives outside its heap, and collects when it thinks so. */
  private adjust(): void {
    this.native.adjust();
    this.native.poll(true);
    this.due = megabyte;
  }
}
