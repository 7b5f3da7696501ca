import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../type-tests", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));
const compilers = [
  ["TypeScript 6", "node_modules/typescript/bin/tsc"],
  ["TypeScript 7", "node_modules/ts7/bin/tsc"],
] as const;

/** The errors of a compiler in a file of type tests: the sentence of a rule, else the code, by line. */
function errorsOf(output: string, file: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const line of output.split("\n")) {
    const [, path, at, code, message] = /^(.+?)\((\d+),\d+\): error (TS\d+): (.*)$/.exec(line) ?? [];
    if (!path?.endsWith(`type-tests/${file}`)) continue;
    found.set(Number(at), /to parameter of type '"(.*)"'\.$/.exec(message!)?.[1] ?? code!);
  }
  return found;
}

describe.each(compilers)("%s", (_name, compiler) => {
  const { stdout } = spawnSync(process.execPath, [root + compiler, "-p", folder, "--pretty", "false"], {
    encoding: "utf8",
  });

  test("what compiles", () => {
    expect([...errorsOf(stdout, "compile.ts")]).toEqual([]);
  });

  test("what must not, and the sentence it says", () => {
    const lines = readFileSync(`${folder}/reject.ts`, "utf8").split("\n");
    const wanted = lines.flatMap((line, i) => (line.startsWith("//! ") ? [[i + 2, line.slice(4)] as const] : []));
    const got = errorsOf(stdout, "reject.ts");
    expect(wanted.length).toBeGreaterThan(8);
    expect([...got].map(([line, said]) => [line, /^TS\d+$/.test(said) ? "TS" : said])).toEqual(
      wanted.map(([line, said]) => [line, /^TS\d+$/.test(said) ? "TS" : said]),
    );
  });
});
