// Compares layers.json with every package.json, tsconfig.json, Cargo.toml and import of a workspace.
//
// layers.json: `packages` names for each package what its src may import ("core" with every subpath, "core/backend" that one
// alone); `node` the packages that may import Node's modules; `modules` the order of the directories in a package's src, lowest
// first; `typeOnlyEverywhere` the files whose types any directory may import; `crates` the same as `packages`, for native/.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix, relative, resolve, sep } from "node:path";
import { parse as parseToml } from "smol-toml";
import ts from "typescript";
import { importsOf } from "./imports.mjs";

const isNode = (specifier) => specifier.startsWith("node:") || builtinModules.includes(specifier.split("/")[0]);
const isOwn = (name) => name === "millrace" || name.startsWith("@millrace/");
const short = (name) => name.replace(/^@millrace\//, "");
const full = (name) => (name === "millrace" ? name : `@millrace/${name}`);
/** "@a/b/c" → ["@a/b", "c"], the package and the subpath. */
const split = (specifier) => {
  const parts = specifier.split("/");
  const length = specifier.startsWith("@") ? 2 : 1;
  return [parts.slice(0, length).join("/"), parts.slice(length).join("/")];
};
const orNothing = (names) => names.join(", ") || "nothing";

/**
 * The violations below `root`, one line each: where, and what is not allowed there.
 * @param {string} root
 * @returns {string[]}
 */
export function checkLayers(root) {
  const json = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
  const layers = json("layers.json");
  const violations = [];
  const violation = (where, what) => violations.push(`${where}: ${what}`);

  function sourceFiles(dir) {
    if (!existsSync(join(root, dir))) return [];
    return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
      const path = posix.join(dir, entry.name);
      return entry.isDirectory() ? sourceFiles(path) : /\.[cm]?tsx?$/.test(entry.name) ? [path] : [];
    });
  }

  /** The file that a relative import names, as a path from the root. */
  const target = (file, specifier) =>
    relative(root, resolve(root, dirname(file), specifier))
      .split(sep)
      .join("/")
      .replace(/\.js$/, ".ts");

  const importCache = new Map();
  const imports = (file) => {
    if (!importCache.has(file)) importCache.set(file, existsSync(join(root, file)) ? importsOf(join(root, file)) : []);
    return importCache.get(file);
  };

  const manifests = Object.fromEntries(
    readdirSync(join(root, "packages"))
      .filter((name) => existsSync(join(root, "packages", name, "package.json")))
      .map((name) => [name, json(`packages/${name}/package.json`)]),
  );

  function checkManifest(name, manifest) {
    const path = `packages/${name}/package.json`;
    if (manifest.name !== full(name)) violation(path, `is named ${manifest.name}, not ${full(name)}`);
    const allowed = new Set(layers.packages[name].map((entry) => entry.split("/")[0]));
    for (const kind of ["dependencies", "peerDependencies", "optionalDependencies"])
      for (const dependency of Object.keys(manifest[kind] ?? {}))
        if (isOwn(dependency) && !allowed.has(short(dependency)))
          violation(path, `${name} may not depend on ${dependency} (only on ${orNothing([...allowed])})`);
  }

  function checkTsconfig(name) {
    for (const path of ["tsconfig.json", "tsconfig.build.json"].map((file) => `packages/${name}/${file}`)) {
      if (!existsSync(join(root, path))) continue;
      const { config } = ts.readConfigFile(join(root, path), ts.sys.readFile);
      if (config.compilerOptions?.paths) violation(path, "`paths` goes round the packages' exports");
      if (config.compilerOptions?.types?.includes("node") && !layers.node.includes(name))
        violation(path, `${name} runs in a browser, so it takes no types of Node`);
      const allowed = layers.packages[name].map((entry) => entry.split("/")[0]);
      for (const reference of config.references ?? []) {
        const referred = posix.basename(reference.path.replace(/\/tsconfig.*\.json$/, ""));
        if (!allowed.includes(referred)) violation(path, `${name} may not refer to ${referred}`);
      }
    }
  }

  function checkImport(name, manifest, file, { specifier, line, typeOnly }) {
    const where = `${file}:${line}`;
    if (specifier.startsWith(".")) {
      const to = target(file, specifier);
      if (!to.startsWith(`packages/${name}/src/`)) violation(where, `${specifier} lies outside the package's src`);
      else checkModule(name, where, file, to, typeOnly);
      return;
    }
    if (isNode(specifier)) {
      if (!layers.node.includes(name)) violation(where, `${name} runs in a browser and may not import ${specifier}`);
      return;
    }
    const [dependency, subpath] = split(specifier);
    if (isOwn(dependency)) {
      const entry = short(dependency);
      const allowed = layers.packages[name];
      if (!allowed.includes(entry) && !allowed.includes(`${entry}/${subpath}`)) {
        violation(where, `${name} may not import ${specifier} (only ${orNothing(allowed)})`);
        return;
      }
    }
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
    if (!(dependency in declared)) violation(where, `${dependency} is no dependency in packages/${name}/package.json`);
  }

  /** The order of directories inside one package: a file imports from its own directory and from lower ones. */
  function checkModule(name, where, from, to, typeOnly) {
    const order = layers.modules[name];
    if (order === undefined || (typeOnly && layers.typeOnlyEverywhere.includes(to))) return;
    const rank = (file) => {
      const inside = file.slice(`packages/${name}/src/`.length);
      if (!inside.includes("/")) return order.length;
      return order.indexOf(inside.split("/")[0]);
    };
    if (rank(to) > rank(from)) {
      const lower = order.slice(0, rank(from) + 1);
      violation(where, `imports ${to}; ${posix.dirname(from)} may import only ${lower.join(", ")}`);
    }
  }

  /** Every file lies in a directory of the table, or is an entry point. */
  function checkPlace(name, manifest, file) {
    const order = layers.modules[name];
    if (order === undefined) return;
    const inside = file.slice(`packages/${name}/src/`.length);
    const known = inside.includes("/")
      ? order.includes(inside.split("/")[0])
      : JSON.stringify(manifest.exports).includes(`"./src/${inside}"`);
    if (!known) violation(file, `is neither an entry point of ${name} nor in a directory that layers.json names`);
  }

  /** The source that `exports` gives for a subpath under these conditions, as a path from the root. */
  function entryFile(name, subpath, conditions) {
    const pick = (exports) => {
      if (typeof exports !== "object") return exports;
      const key = Object.keys(exports).find((condition) => conditions.includes(condition) || condition === "default");
      return key === undefined ? undefined : pick(exports[key]);
    };
    const found = pick(manifests[name]?.exports?.[subpath === "" ? "." : `./${subpath}`]);
    return found === undefined ? undefined : posix.join("packages", name, found);
  }

  /** Follows what a browser would load from `file`; type-only imports are gone by then. */
  function checkBrowser(file, chain, seen) {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { specifier, line, typeOnly } of imports(file)) {
      if (typeOnly) continue;
      if (isNode(specifier))
        violation(`${file}:${line}`, `a browser reaches ${specifier}: ${[...chain, file].join(" → ")}`);
      const [dependency, subpath] = split(specifier);
      const next = specifier.startsWith(".")
        ? target(file, specifier)
        : isOwn(dependency)
          ? entryFile(short(dependency), subpath, ["browser", "@millrace/source"])
          : undefined;
      if (next !== undefined) checkBrowser(next, [...chain, file], seen);
    }
  }

  function checkCrates() {
    const manifest = (path) => parseToml(readFileSync(join(root, path), "utf8"));
    const shared = existsSync(join(root, "Cargo.toml")) ? (manifest("Cargo.toml").workspace?.dependencies ?? {}) : {};
    for (const name of existsSync(join(root, "native")) ? readdirSync(join(root, "native")) : []) {
      const path = `native/${name}/Cargo.toml`;
      if (!existsSync(join(root, path))) continue;
      const allowed = layers.crates[name];
      if (allowed === undefined) {
        violation(path, "layers.json does not name this crate");
        continue;
      }
      const crate = manifest(path);
      for (const section of [crate, ...Object.values(crate.target ?? {})])
        for (const kind of ["dependencies", "build-dependencies", "dev-dependencies"])
          for (const [key, value] of Object.entries(section[kind] ?? {})) {
            const local = value.workspace === true ? shared[key]?.path : value.path;
            const dependency = local === undefined ? undefined : posix.basename(local);
            if (dependency !== undefined && !allowed.includes(dependency))
              violation(path, `${name} may not depend on ${dependency} (only on ${orNothing(allowed)})`);
          }
    }
  }

  for (const name of Object.keys(layers.packages))
    if (!(name in manifests)) violation("layers.json", `there is no packages/${name}`);
  for (const [name, manifest] of Object.entries(manifests)) {
    if (!(name in layers.packages)) {
      violation(`packages/${name}`, "layers.json does not name this package");
      continue;
    }
    checkManifest(name, manifest);
    checkTsconfig(name);
    for (const file of sourceFiles(`packages/${name}/src`)) {
      checkPlace(name, manifest, file);
      for (const one of imports(file)) checkImport(name, manifest, file, one);
    }
    for (const [subpath, entry] of Object.entries(manifest.exports ?? {}))
      if (typeof entry === "object" && "browser" in entry)
        checkBrowser(entryFile(name, subpath.replace(/^\.\/?/, ""), ["browser", "@millrace/source"]), [], new Set());
  }
  checkCrates();
  return violations;
}
