import { MillraceError } from "@millrace/core";
import { defaultSignature } from "@millrace/core/graph";
import { invalid, StatusError } from "../status.js";
import type { Model, VersionStatus } from "./model.js";
import type { SignaturePlan } from "./signature.js";
import type { ServedVersion } from "./version.js";

/** Which version of which model is meant: the newest where neither number nor label is given. */
export interface ModelSpec {
  readonly name: string;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
}

/** The models of a server. */
export class Registry {
  readonly models: ReadonlyMap<string, Model>;
  private refreshing: Promise<void> | undefined;

  constructor(models: readonly Model[]) {
    this.models = new Map(models.map((model) => [model.name, model]));
  }

  /**
   * Finds a version to ask.
   * @throws StatusError NOT_FOUND, or INVALID_ARGUMENT for a label that does not exist
   */
  find({ name, version, label }: ModelSpec): ServedVersion {
    const model = this.models.get(name);
    const number = label === undefined ? version : labelled(model, label);
    const found = number === undefined ? model?.latest : model?.version(number);
    if (found) return found;
    const request = number === undefined ? `Latest(${name})` : `Specific(${name}, ${number})`;
    throw new StatusError("NOT_FOUND", `Servable not found for request: ${request}`);
  }

  /** What is known of a model's versions, or of one of them. */
  statuses({ name, version, label }: ModelSpec): readonly VersionStatus[] {
    const model = this.models.get(name);
    const number = label === undefined ? version : labelled(model, label);
    const all = model?.statuses ?? [];
    if (number === undefined) {
      if (all.length > 0) return all;
      throw new StatusError("NOT_FOUND", `Could not find any versions of model ${name}`);
    }
    const one = all.filter((status) => status.version === number);
    if (one.length > 0) return one;
    throw new StatusError("NOT_FOUND", `Could not find version ${number} of model ${name}`);
  }

  /** Looks for new versions of every model; one look at a time. Rejects with the first model's error, having looked at all. */
  refresh(): Promise<void> {
    this.refreshing ??= this.refreshAll().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async refreshAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const model of this.models.values()) await model.refresh().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  /** Refuses labels of versions that are not loaded, and models that have nothing to serve but broken versions. */
  check(): void {
    for (const model of this.models.values()) {
      const [broken] = model.statuses.filter(({ state }) => state === "END");
      if (broken && !model.latest) {
        throw new MillraceError(
          "E_FORMAT",
          `createServer: version ${broken.version} of model "${model.name}" cannot be loaded: ${broken.error.message}`,
        );
      }
      for (const [label, version] of model.labels) {
        if (model.version(version)) continue;
        throw new MillraceError(
          "E_ARGUMENT",
          `createServer: the label "${label}" of model "${model.name}" names version ${version}, which is not loaded`,
        );
      }
    }
  }

  async close(): Promise<void> {
    await this.refreshing?.catch(() => {});
    await Promise.all([...this.models.values()].map((model) => model.close()));
  }
}

function labelled(model: Model | undefined, label: string): number {
  const version = model?.labels.get(label);
  if (version !== undefined) return version;
  throw invalid(`Unrecognized servable version label: ${label}`);
}

/** The signature that a request means; what to say where there is none is its protocol's. */
export function signatureOf(
  version: ServedVersion,
  name: string | undefined,
  missing: (name: string) => StatusError,
): SignaturePlan {
  const plan = version.signature(name);
  if (plan) return plan;
  throw missing(name === undefined || name === "" ? defaultSignature : name);
}
