import { createRequire } from "node:module";
import { type DType, MillraceError, type Peaks, type ProfiledKernel } from "@millrace/core/backend";

/** What a `print` op saw. */
export interface Printed {
  readonly message: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The functions of a native context: native/node/README.md has their contract. Handles are small integers. */
export interface NativeContext {
  run1(bound: number, a: number): number;
  run2(bound: number, a: number, b: number): number;
  run(
    bound: number,
    args: Int32Array,
    count: number,
    donated: Int32Array,
    donations: number,
    results: Int32Array,
  ): number;
  free(handle: number): void;
  page(token: object, handles: Int32Array, count: number): void;
  poll(full: boolean): number;
  claims(op: string, narrow: boolean): boolean;
  compile(program: Uint8Array): number;
  bind(executable: number, sizes: Float64Array): number;
  isLong(bound: number): boolean;
  nameCall(call: number): void;
  releaseExecutable(executable: number): void;
  releaseBound(bound: number): void;
  upload(bytes: Uint8Array): number;
  map(path: string, offset: number, bytes: number, element: number): number;
  read(handle: number, id?: number): Promise<Uint8Array>;
  readSync(handle: number): Uint8Array;
  sync(id?: number): Promise<void>;
  abandon(id: number, reason: string): boolean;
  cancel(handle: number, reason: string): boolean;
  stats(): Readonly<Record<NativeStat, number>>;
  setBoundOrigin(bound: number, first: number): void;
  setOrigin(handle: number, origin: number, from?: number): void;
  /** Origin, buffers and bytes of each, one after the other. */
  liveByOrigin(): readonly number[];
  startProfile(): void;
  stopProfile(): NativeProfile;
  peaks(): Peaks;
  liveBytes(): number;
  adjust(): number;
  trim(): void;
  onMessage(listener: ((printed: readonly Printed[], lost: readonly Error[]) => void) | null): void;
  close(): void;
}

/** What `stopProfile` gives. */
export interface NativeProfile {
  readonly kernels: readonly ProfiledKernel[];
  /** Kernel, origin, 1 on the queue's thread or 0, start and time in ns: one after the other. */
  readonly events: readonly number[];
}

/** The names in `stats()`. */
export type NativeStat =
  | "liveBytes"
  | "peakBytes"
  | "mappedBytes"
  | "liveBuffers"
  | "liveHandles"
  | "cachedBytes"
  | "reservedBytes"
  | "arenaBytes"
  | "packedBytes"
  | "allocations"
  | "allocatedBytes"
  | "executables"
  | "bounds"
  | "queued"
  | "kernels"
  | "runs"
  | "calls"
  | "javaScriptCalls";

interface Addon {
  machine(): { readonly path: string; readonly threads: number };
  setThreads(threads: number): void;
  createContext(memoryLimit?: number): NativeContext;
}

const addonPackage = "@millrace/cpu-native";

/** Loads the addon. Fails with E_BACKEND, naming the package that this platform needs. */
export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  try {
    // boundary: the addon's own types say `object`; its README and the tests say the rest
    return require(addonPackage) as Addon;
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}`;
    throw new MillraceError(
      "E_BACKEND",
      `the native CPU backend could not be loaded: install ${addonPackage}, which brings ${addonPackage}-${platform} ` +
        `as an optional dependency (npm leaves it out under --omit=optional, or with a lock file of another platform)`,
      { cause },
    );
  }
}
