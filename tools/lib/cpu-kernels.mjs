// Which ops the native CPU backend runs by a kernel of their own, read from its one table, `library` in native/kernels.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./generated.mjs";

const pascal = (name) => name[0].toUpperCase() + name.slice(1);

/** The names of `ops` that `library` has an arm for. */
export function libraryKernels(ops) {
  const source = readFileSync(join(root, "native/kernels/src/lib.rs"), "utf8");
  const body = /pub fn library\([\s\S]*?\n}\n/.exec(source)?.[0];
  if (body === undefined) throw new Error("native/kernels/src/lib.rs has no `pub fn library`");
  const named = [...body.matchAll(/Op::(\w+) =>|each!\([\w:]+: ([\w\s]+)\)/g)];
  const arms = new Set(named.flatMap(([, arm, list]) => (arm ? [arm] : list.trim().split(/\s+/))));
  const known = new Set(ops.map(({ name }) => pascal(name)));
  const strange = [...arms].filter((name) => !known.has(name));
  if (strange.length > 0) throw new Error(`native/kernels/src/lib.rs names what is no op: ${strange.join(", ")}`);
  return new Set(ops.filter(({ name }) => arms.has(pascal(name))).map(({ name }) => name));
}
