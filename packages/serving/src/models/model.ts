import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Executable } from "@millrace/core";
import { isMillraceError, MillraceError } from "@millrace/core";
import type { StatusName } from "../status.js";
import { asStatusError } from "../status.js";
import { aspire, versionOf } from "./policy.js";
import type { Load, ModelSource } from "./source.js";
import { type Host, ServedVersion } from "./version.js";

/** Where a version is on its way: loaded, in use, and gone again. */
export type VersionState = "START" | "LOADING" | "AVAILABLE" | "UNLOADING" | "END";

/** What is known of one version. */
export interface VersionStatus {
  readonly version: number;
  readonly state: VersionState;
  readonly error: { readonly status: StatusName; readonly message: string };
}

/** Versions that are gone are remembered up to this many. */
const maxHistory = 100;
const healthy = { status: "OK", message: "" } as const;

interface Entry {
  status: VersionStatus;
  served?: ServedVersion;
  /** What a version's directory held when loading it failed, and how often it did. */
  failure?: { readonly content: string; readonly attempts: number };
}

/** A model and its versions. */
export class Model {
  readonly name: string;
  readonly labels: ReadonlyMap<string, number>;
  private readonly source: ModelSource["source"];
  private readonly load: Load;
  private readonly host: Host;
  private readonly retries: number;
  private readonly entries = new Map<number, Entry>();
  private newest: ServedVersion | undefined;
  private readonly unloading = new Set<Promise<void>>();

  /** @param retries how often a version is tried again while its directory stays as it is */
  constructor({ name, source, labels }: ModelSource, load: Load, retries: number, host: Host) {
    this.name = name;
    this.source = source;
    this.labels = new Map(Object.entries(labels));
    this.load = load;
    this.retries = retries;
    this.host = host;
  }

  /** The newest version that is available. */
  get latest(): ServedVersion | undefined {
    return this.newest;
  }

  version(number: number): ServedVersion | undefined {
    return this.entries.get(number)?.served;
  }

  get available(): readonly ServedVersion[] {
    return [...this.entries.values()].flatMap(({ served }) => (served ? [served] : []));
  }

  /** Every version that is or was, the newest first. */
  get statuses(): readonly VersionStatus[] {
    return [...this.entries.values()].map((e) => e.status).sort((a, b) => b.version - a.version);
  }

  /**
   * Looks which versions there are now. New ones are loaded before old ones go, and old ones stay while a new one is broken.
   * @throws MillraceError E_FILE where the model's directory cannot be read
   */
  async refresh(): Promise<void> {
    if ("executable" in this.source) {
      const { executable, version } = this.source;
      if (!this.entries.has(version)) await this.serve(version, executable, false);
      return;
    }
    const { path, policy } = this.source;
    const wanted = aspire(policy, await versionsIn(path));
    for (const version of wanted) await this.loadVersion(version, join(path, String(version)));
    const isServed = wanted.some((version) => this.version(version));
    const superseded = this.available.filter(({ number }) => !wanted.includes(number));
    // A version whose successor is broken, or whose directory is gone without one, goes on.
    const [kept] = isServed ? [] : superseded.sort((a, b) => b.number - a.number);
    for (const served of superseded) if (served !== kept) this.unload(served);
    this.forget(wanted);
  }

  /** Unloads every version, after the requests in flight. */
  async close(): Promise<void> {
    for (const served of this.available) this.unload(served);
    await Promise.all(this.unloading);
  }

  private async loadVersion(version: number, directory: string): Promise<void> {
    const entry = this.entries.get(version);
    if (entry?.served) return;
    const content = await contentOf(directory);
    const failed = entry?.failure;
    if (failed && failed.content === content && failed.attempts > this.retries) return;
    this.set(version, "LOADING");
    try {
      await this.serve(version, await this.load(directory), true);
    } catch (error) {
      const attempts = failed?.content === content ? failed.attempts + 1 : 1;
      const { status, message } = isMillraceError(error)
        ? { status: asStatusError(error).status, message: `${error.code}: ${error.reason}` }
        : { status: "UNKNOWN" as const, message: error instanceof Error ? error.message : String(error) };
      this.entries.set(version, {
        status: { version, state: "END", error: { status, message } },
        failure: { content, attempts },
      });
      if (attempts === 1) this.host.onError(`loading ${this.name} version ${version}`, error);
    }
  }

  private async serve(version: number, executable: Executable, isOwned: boolean): Promise<void> {
    const served = new ServedVersion(this.name, version, executable, isOwned, this.host);
    await served.warmUp();
    this.entries.set(version, { status: { version, state: "AVAILABLE", error: healthy }, served });
    this.choose();
  }

  private unload(served: ServedVersion): void {
    this.set(served.number, "UNLOADING");
    this.choose();
    const done = served
      .unload()
      .catch((error: unknown) => this.host.onError(`unloading ${this.name} version ${served.number}`, error))
      .then(() => {
        this.unloading.delete(done);
        if (this.entries.get(served.number)?.status.state === "UNLOADING") this.set(served.number, "END");
      });
    this.unloading.add(done);
  }

  private set(version: number, state: VersionState): void {
    this.entries.set(version, { status: { version, state, error: healthy } });
  }

  private choose(): void {
    this.newest = this.available.reduce<ServedVersion | undefined>(
      (best, x) => (best && best.number > x.number ? best : x),
      undefined,
    );
  }

  private forget(wanted: readonly number[]): void {
    for (const version of this.entries.keys()) {
      if (this.entries.size <= maxHistory) return;
      if (this.entries.get(version)!.status.state === "END" && !wanted.includes(version)) this.entries.delete(version);
    }
  }
}

async function versionsIn(path: string): Promise<number[]> {
  try {
    const items = await readdir(path, { withFileTypes: true });
    const numbers = items.map((item) =>
      item.isDirectory() || item.isSymbolicLink() ? versionOf(item.name) : undefined,
    );
    return numbers.filter((n) => n !== undefined);
  } catch (cause) {
    throw new MillraceError("E_FILE", `the model directory ${path} cannot be read`, { cause });
  }
}

/** The names, sizes and times of a directory's files: what changes when someone repairs a version. */
async function contentOf(directory: string): Promise<string> {
  try {
    const names = (await readdir(directory)).sort();
    const facts = await Promise.all(
      names.map(async (name) => {
        const { size, mtimeMs } = await stat(join(directory, name));
        return `${name}:${size}:${mtimeMs}`;
      }),
    );
    return facts.join("\n");
  } catch {
    return "";
  }
}
