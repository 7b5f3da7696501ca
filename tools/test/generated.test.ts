import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../..", import.meta.url));

test.each(["gen-arith.mjs", "gen-methods.mjs"])("what %s writes is not stale", (tool) => {
  const { status, stderr } = spawnSync(process.execPath, [`tools/${tool}`, "--check"], { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
