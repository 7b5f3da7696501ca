import type { Executable } from "@millrace/core";
import type { VersionPolicy } from "./policy.js";

/** Makes an executable of a version's directory. */
export type Load = (directory: string) => Promise<Executable>;

/** Where a model's versions come from. */
export interface ModelSource {
  readonly name: string;
  /** A directory of numbered versions, or one version as it is. */
  readonly source:
    | { readonly path: string; readonly policy: VersionPolicy }
    | { readonly executable: Executable; readonly version: number };
  readonly labels: Readonly<Record<string, number>>;
}
