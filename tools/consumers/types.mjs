// Packed declarations under the compilers and options that users have.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { check, expect, run } from "./checks.mjs";

const compilers = ["5.4", "5.9", "6.0", "7.0"];
const resolutions = {
  node16: { module: "node16", moduleResolution: "node16" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};
const strict = {
  target: "es2022",
  lib: ["es2022"],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};

/** Type-checks the programs of `dir`/types, and an import of every entry point, on every compiler. */
export async function checkTypes(dir, names) {
  const entries = names.flatMap((name) => entryPoints(join(dir, "node_modules", name), name));
  const imports = entries.map((entry, i) => `import * as m${i} from ${JSON.stringify(entry)};\n`);
  // `console` is in neither lib
  const platform = "declare const console: { error(...data: unknown[]): void };\n";
  const all = `${imports.join("")}export const all = [${imports.map((_, i) => `m${i}`)}];\n`;
  writeFileSync(join(dir, "types/entries.ts"), all);
  writeFileSync(join(dir, "types/platform.d.ts"), platform);
  for (const name of names)
    await check(`declarations of ${name}`, () => checkDeclarations(join(dir, "node_modules", name)));
  // Two at a time: a compiler takes a core.
  for (const version of compilers)
    await Promise.all(
      Object.entries(resolutions).map(([resolution, options]) =>
        check(`types on TypeScript ${version}, ${resolution}`, async () => {
          const config = `types/tsconfig.${resolution}.json`;
          const compilerOptions = { ...strict, ...options };
          writeFileSync(join(dir, config), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
          const tsc = `node_modules/typescript-${version}/bin/tsc`;
          await run(process.execPath, [tsc, "-p", config, "--pretty", "false"], dir);
        }),
      ),
    );
}

/** What `exports` lets be imported: "@millrace/core/backend". */
function entryPoints(folder, name) {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const modules = Object.keys(exports).filter((path) => path !== "./package.json");
  return modules.map((path) => name + path.slice(1));
}

/** TypeScript before 5.7 knows no type argument of typed arrays; `lib: ["es2022"]` has no Symbol.dispose. */
function checkDeclarations(folder) {
  const dist = join(folder, "dist");
  expect(existsSync(dist), `${folder} has no dist`);
  const files = readdirSync(dist, { recursive: true }).filter((path) => path.endsWith(".d.ts"));
  expect(files.length > 0, `${folder} has no declarations`);
  for (const file of files) {
    const text = readFileSync(join(dist, file), "utf8");
    expect(!/Array<ArrayBuffer(?:Like)?>/.test(text), `${file} gives a typed array a type argument`);
    const disposes = /\[Symbol\.(?:asyncD|d)ispose\]|\b(?:Async)?Disposable\b/.test(
      text.replaceAll(/\/\*[\s\S]*?\*\//g, ""),
    );
    const refers = /^\/\/\/ <reference lib="esnext.disposable"/m.test(text);
    expect(!disposes || refers, `${file} names Symbol.dispose and does not refer to lib esnext.disposable`);
  }
}
