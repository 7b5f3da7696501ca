// Which ops the native CPU backend runs by a kernel of their own, or as an instruction of a loop: read from the tables
// `KERNELS` in native/kernels, from `by_kind`, and from the instructions of its loops.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./generated.mjs";

const folder = join(root, "native/kernels/src");
const pascal = (name) => name[0].toUpperCase() + name.slice(1);

const kernels = (file) => readFileSync(join(folder, file), "utf8");
const names = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);

/** The names of `ops` that a table of kernels, the kinds that have one, or a table of instructions names. */
export function cpuKernels(ops) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".rs"));
  const tables = files.flatMap((file) => kernels(file).match(/^pub const KERNELS\b[\s\S]*?\];$/gm) ?? []);
  const byKind = /pub fn by_kind\([\s\S]*?\n}\n/.exec(kernels("simple.rs"))?.[0];
  if (tables.length === 0 || byKind === undefined)
    throw new Error("native/kernels/src: no KERNELS, or no `pub fn by_kind`");
  const arms = new Set(tables.flatMap((table) => names(table, /\(Op::(\w+),/g)));
  for (const file of ["loops/float.rs", "loops/integer.rs"]) {
    for (const name of names(kernels(file), /Op::(\w+) =>/g)) arms.add(name);
  }
  const known = new Set(ops.map(({ name }) => pascal(name)));
  const strange = [...arms].filter((name) => !known.has(name));
  if (strange.length > 0) throw new Error(`native/kernels names what is no op: ${strange.join(", ")}`);
  const kinds = new Set(names(byKind, /Kind::(\w+)/g));
  const runs = ({ name, kind }) => arms.has(pascal(name)) || kinds.has(pascal(kind));
  return new Set(ops.filter(runs).map(({ name }) => name));
}
