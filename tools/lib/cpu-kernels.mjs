// Which ops the native CPU backend runs by a kernel of their own, or as an instruction of a loop: read from `library` in
// native/kernels, and from the instructions of its loops.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./generated.mjs";

const pascal = (name) => name[0].toUpperCase() + name.slice(1);

const kernels = (file) => readFileSync(join(root, "native/kernels/src", file), "utf8");

/** The names of `ops` that `library`, or a table of instructions, has an arm for. */
export function cpuKernels(ops) {
  const source = kernels("lib.rs");
  const body = /pub fn library\([\s\S]*?\n}\n/.exec(source)?.[0];
  if (body === undefined) throw new Error("native/kernels/src/lib.rs has no `pub fn library`");
  const named = [...body.matchAll(/Op::(\w+) =>|each!\([\w:]+: ([\w\s]+)\)/g)];
  const arms = new Set(named.flatMap(([, arm, list]) => (arm ? [arm] : list.trim().split(/\s+/))));
  for (const file of ["loops/float.rs", "loops/integer.rs"]) {
    for (const [, name] of kernels(file).matchAll(/Op::(\w+) =>/g)) arms.add(name);
  }
  const known = new Set(ops.map(({ name }) => pascal(name)));
  const strange = [...arms].filter((name) => !known.has(name));
  if (strange.length > 0) throw new Error(`native/kernels names what is no op: ${strange.join(", ")}`);
  return new Set(ops.filter(({ name }) => arms.has(pascal(name))).map(({ name }) => name));
}
