// Plain JavaScript on every Node that is supported, by import and by require.
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { check, expect, run, skip } from "./checks.mjs";

/** Most megabytes that the memory program may hold. */
const mostHeld = 150;

const nodeOf = (dir, major) => join(dir, `node_modules/node-${major}/bin/node`);

/** Runs the programs of `dir`/node on Node 20, 22 and 24. */
export async function checkNode(dir) {
  const native = hasAddon(dir);
  cpSync(join(dir, "node_modules/@millrace/core"), join(dir, "second"), { recursive: true });
  await check("the command line", () => checkCommands(dir, native));
  for (const major of [20, 22, 24]) {
    if (!existsSync(nodeOf(dir, major))) {
      skip(`Node ${major}`, "its npm package is for Linux x64 alone");
      continue;
    }
    const checked = (program, want) =>
      check(`${program} on Node ${major}`, () => checkProgram(dir, major, program, want));
    await checked("import.mjs", { y: [[11]], backend: native ? "cpu" : "reference" });
    await checked("core.mjs", { y: [2, 4, 6], backend: "reference" });
    await checked("run.mjs", { y: [2, 6, 6, 12], backend: "reference" });
    await checked("require.cjs", { y: [2, 4, 6], backend: "reference" });
    await checked("copies.mjs", { y: Array(2).fill("E_DUPLICATE_CORE"), backend: "reference" });
    if (native) await checked("memory.mjs", { y: Array(8).fill(2), backend: "cpu" });
    else skip(`memory.mjs on Node ${major}`, "the native backend is not built");
  }
}

/** The command line as npm links it: a page of help, and a doctor who finds nothing wrong. */
async function checkCommands(dir, native) {
  const command = join(dir, "node_modules/.bin/millrace");
  const page = await run(command, ["explain", "E_SHAPE"], dir);
  expect(page.startsWith("E_SHAPE: "), `it explained\n${page}`);
  if (!native) return;
  const { ok, checks } = JSON.parse(await run(command, ["doctor", "--json"], dir));
  const wrong = checks.filter(({ status }) => status === "fail");
  expect(ok && wrong.length === 0, `the doctor found ${JSON.stringify(wrong)}`);
}

/** Runs one program and holds what it prints against what is wanted. */
async function checkProgram(dir, major, program, want) {
  const node = nodeOf(dir, major);
  const output = await run(node, [`node/${program}`], dir);
  const said = JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? "{}");
  expect(output.trim().split("\n").length === 1, `it printed\n${output}`);
  expect(said.node?.startsWith(`v${major}.`), `it ran on ${said.node}`);
  expect(said.backend === want.backend, `it ran on the ${said.backend} backend`);
  expect(JSON.stringify(said.y) === JSON.stringify(want.y), `it computed ${JSON.stringify(said.y)}`);
  if (said.held === undefined) return;
  console.log(`    ${said.held.join(" and ")} MB`);
  expect(Math.max(...said.held) <= mostHeld, `it holds ${said.held.join(" and ")} MB`);
}

/** Whether a built addon is installed. */
function hasAddon(dir) {
  const own = join(dir, "node_modules/@millrace");
  const platforms = readdirSync(own).filter((name) => name.startsWith("cpu-native-"));
  return platforms.some((name) => readdirSync(join(own, name)).some((file) => file.endsWith(".node")));
}
