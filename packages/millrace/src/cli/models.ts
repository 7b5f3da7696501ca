// Which models a directory holds: a saved graph, numbered versions of one, or several of these.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { MillraceError } from "@millrace/core";
import { artifactFile } from "@millrace/core/graph";

/** A saved graph in a directory. */
export interface FoundModel {
  readonly name: string;
  /** The directory of the graph. */
  readonly path: string;
  /** The number of the version; null where there are no versions. */
  readonly version: number | null;
}

/** The models of a directory, each in its latest version. Throws E_FILE where there is none. */
export function findModels(directory: string): FoundModel[] {
  const path = resolve(directory);
  if (!existsSync(path)) throw new MillraceError("E_FILE", `${directory}: there is no such directory`);
  const own = latestOf(path);
  const found = own ? [own] : subdirectories(path).flatMap((name) => latestOf(join(path, name)) ?? []);
  if (found.length > 0) return found;
  const what = `no saved graph (${artifactFile}), no numbered versions of one, and no directories of these`;
  throw new MillraceError("E_FILE", `${directory}: it holds ${what}`);
}

/** The saved graph of a directory, or that of its version with the greatest number. */
function latestOf(path: string): FoundModel | undefined {
  if (isGraph(path)) {
    const version = versionOf(basename(path));
    return { name: basename(version === null ? path : dirname(path)), path, version };
  }
  const versions = subdirectories(path).filter((name) => versionOf(name) !== null && isGraph(join(path, name)));
  const version = Math.max(...versions.map(Number));
  return versions.length === 0 ? undefined : { name: basename(path), path: join(path, String(version)), version };
}

const versionOf = (name: string): number | null => (/^[1-9]\d{0,14}$/.test(name) ? Number(name) : null);

const isGraph = (path: string): boolean => existsSync(join(path, artifactFile));

const subdirectories = (path: string): string[] =>
  isDirectory(path) ? readdirSync(path).filter((name) => isDirectory(join(path, name))) : [];

/** A link that leads nowhere is none. */
const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
