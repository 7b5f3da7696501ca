import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Check } from "./check.js";

/** Directories of node_modules that are looked into, at most: a check must not take long. */
const mostDirectories = 20_000;

/** Whether the packages are of one version, and whether there is one core. */
export function packageChecks(directory: string): Check[] {
  return [versionsCheck(), copiesCheck(directory)];
}

function versionsCheck(): Check {
  const require = createRequire(import.meta.url);
  const own = manifest(require.resolve("millrace/package.json"));
  const versions = new Map([["millrace", own.version]]);
  for (const name of Object.keys(own.dependencies ?? {}).filter((name) => name.startsWith("@millrace/"))) {
    try {
      versions.set(name, manifest(require.resolve(`${name}/package.json`)).version);
    } catch {
      versions.set(name, "missing");
    }
  }
  const others = [...versions].filter(([, version]) => version !== own.version);
  const values = Object.fromEntries(versions);
  if (others.length === 0) {
    return { name: "packages", status: "ok", found: `${versions.size} packages, all ${own.version}`, values };
  }
  const found = others.map(([name, version]) => `${name} ${version}`).join(", ");
  const advice = `millrace is ${own.version}, and works with exactly that version of its packages: install them anew`;
  return { name: "packages", status: "fail", found, advice, values };
}

/** Two copies of core cannot exchange tensors. */
function copiesCheck(directory: string): Check {
  const copies = [...findCores(directory)];
  const values = Object.fromEntries(copies.map((path) => [path, manifest(join(path, "package.json")).version]));
  const found = `${copies.length === 0 ? "no copy" : copies.length === 1 ? "one copy" : `${copies.length} copies`} below ${directory}`;
  if (copies.length <= 1) return { name: "core", status: "ok", found, values };
  const advice = `tensors of two copies cannot meet (E_DUPLICATE_CORE): ${copies.join(", ")}; run npm dedupe`;
  return { name: "core", status: "warn", found, advice, values };
}

function findCores(root: string): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const waiting = [join(root, "node_modules")];
  while (waiting.length > 0 && seen.size < mostDirectories) {
    const modules = waiting.pop()!;
    if (!existsSync(modules)) continue;
    const real = realpathSync(modules);
    if (seen.has(real)) continue;
    seen.add(real);
    const core = join(real, "@millrace", "core");
    if (existsSync(join(core, "package.json"))) found.add(realpathSync(core));
    for (const name of packagesIn(real)) waiting.push(join(real, name, "node_modules"));
  }
  return found;
}

/** The packages of a node_modules, with those of scopes; pnpm's store is one more level of them. */
function packagesIn(modules: string): string[] {
  return namesIn(modules).flatMap((name) => {
    if (name === ".pnpm" || name.startsWith("@")) return namesIn(join(modules, name)).map((inner) => join(name, inner));
    return name.startsWith(".") ? [] : [name];
  });
}

/** What cannot be looked into holds nothing: a check does not fail for what is beside it. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}
