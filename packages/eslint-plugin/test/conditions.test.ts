// The rule in real eslint and the plugin in real biome, on the same files.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import plugin from "@millrace/eslint-plugin";
import * as parser from "@typescript-eslint/parser";
import { ESLint, type Linter } from "eslint";

const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));
const files = ["tensors.ts", "others.ts"] as const;

/** The lines of a fixture with this mark. */
const marked = (file: string, marks: readonly string[]): number[] =>
  readFileSync(join(fixtures, file), "utf8")
    .split("\n")
    .flatMap((line, i) => (marks.some((mark) => line.endsWith(`// ${mark}`)) ? [i + 1] : []));

/** The lines that biome finds, by file: told as GitHub's workflow commands. */
function byBiome(): Map<string, number[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-biome-"));
  try {
    for (const file of files) copyFileSync(join(fixtures, file), join(folder, file));
    const grit = fileURLToPath(new URL("../biome.grit", import.meta.url));
    const linter = { rules: { preset: "none" } };
    writeFileSync(join(folder, "biome.json"), JSON.stringify({ plugins: [grit], linter }));
    const cli = join(dirname(createRequire(import.meta.url).resolve("@biomejs/biome/package.json")), "bin/biome");
    const run = [cli, "lint", "--max-diagnostics=100", "--reporter=github", "."];
    const { stdout, stderr } = spawnSync(process.execPath, run, { cwd: folder, encoding: "utf8" });
    const found = new Map<string, number[]>(files.map((file) => [file, []]));
    for (const [, file, line] of `${stdout}${stderr}`.matchAll(
      /^::error title=plugin,file=(?:\.\/)?([^,]+),line=(\d+)/gm,
    ))
      found.get(basename(file!))!.push(Number(line));
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("eslint finds every tensor in a condition, and nothing else", async () => {
  const languageOptions = { parser, parserOptions: { projectService: true, tsconfigRootDir: fixtures } };
  const config = [{ files: ["**/*.ts"], languageOptions }, plugin.configs.recommended] satisfies Linter.Config[];
  const eslint = new ESLint({ cwd: fixtures, overrideConfigFile: true, overrideConfig: config });
  for (const file of files) {
    const [result] = await eslint.lintFiles([file]);
    expect(result!.messages.filter(({ ruleId }) => ruleId !== "@millrace/no-tensor-condition")).toEqual([]);
    expect(result!.messages.map(({ line }) => line)).toEqual(marked(file, ["both", "eslint"]));
  }
  const [{ messages }] = (await eslint.lintFiles(["tensors.ts"])) as [ESLint.LintResult];
  expect(messages[2]!.message).toMatch(/always true here.*use tf\.whileLoop/);
});

test("without type information eslint says what is missing", async () => {
  const config = [{ files: ["**/*.ts"], languageOptions: { parser } }, plugin.configs.recommended];
  const eslint = new ESLint({ cwd: fixtures, overrideConfigFile: true, overrideConfig: config });
  await expect(eslint.lintFiles(["others.ts"])).rejects.toThrow(/needs type information/);
});

test("biome finds those that are seen without types, and nothing else", () => {
  const found = byBiome();
  for (const file of files) expect([file, found.get(file)]).toEqual([file, marked(file, ["both"])]);
});
