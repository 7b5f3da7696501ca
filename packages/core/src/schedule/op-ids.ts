import { coreOps } from "../ops/table.js";
import { platform } from "../types/platform.js";

/** The number of each core op in programs: its place among the sorted names, as in the generated Rust table. */
export const opIds: ReadonlyMap<string, number> = new Map(coreOps.map((op, i) => [op.name, i]));

/** FNV-1a over "name@version\n" of every core op: a reader built from another table refuses the program. */
export const opTableHash: bigint = coreOps.reduce(
  (hash, op) => fnv1a(hash, `${op.name}@${op.version}\n`),
  0xcbf29ce484222325n,
);

function fnv1a(start: bigint, text: string): bigint {
  let hash = start;
  for (const byte of new platform.TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

/** The name of the op with this number. */
export function opName(id: number): string | undefined {
  return coreOps[id]?.name;
}
