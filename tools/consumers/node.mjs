// Plain JavaScript on every Node that is supported, by import and by require.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { check, expect, run, skip } from "./checks.mjs";

const programs = {
  "import.mjs": { y: [[11]], backends: ["cpu", "reference"] },
  "core.mjs": { y: [2, 4, 6], backends: ["reference"] },
  "require.cjs": { y: [2, 4, 6], backends: ["reference"] },
};

/** Runs the programs of `dir`/node on Node 20, 22 and 24. */
export async function checkNode(dir) {
  for (const major of [20, 22, 24]) {
    const node = join(dir, `node_modules/node-${major}/bin/node`);
    if (!existsSync(node)) {
      skip(`Node ${major}`, "its npm package is for Linux x64 alone");
      continue;
    }
    for (const [program, want] of Object.entries(programs))
      await check(`${program} on Node ${major}`, async () => {
        const output = await run(node, [`node/${program}`], dir);
        const said = JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? "{}");
        expect(said.node !== undefined, `it printed ${output}`);
        expect(said.node.startsWith(`v${major}.`), `it ran on ${said.node}`);
        expect(JSON.stringify(said.y) === JSON.stringify(want.y), `it computed ${JSON.stringify(said.y)}`);
        expect(want.backends.includes(said.backend), `it ran on the ${said.backend} backend`);
      });
  }
}
