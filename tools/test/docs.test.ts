// The JavaScript in the docs runs, and prints what they say: the comment behind a `console.log`, and the comment lines right
// below it. All blocks of one file below one heading are one program.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import * as tf from "millrace";
import * as backend from "../../packages/core/src/backend.js";
import * as run from "../../packages/core/src/run.js";
import * as lite from "../../packages/lite-converter/src/index.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = [
  "README.md",
  "docs/guide.md",
  "docs/differences.md",
  "docs/layers.md",
  "docs/artifact.md",
  "docs/run.md",
  "docs/lite.md",
  "docs/serving.md",
];
const modules: Readonly<Record<string, object>> = {
  "@millrace/core/backend": backend,
  "@millrace/core/run": run,
  "@millrace/lite-converter": lite,
};

interface Section {
  readonly title: string;
  readonly code: string;
}

/** The code of each section that has any. */
function sectionsOf(page: string): Section[] {
  const text = readFileSync(join(root, page), "utf8");
  return text.split(/^(?=#{1,3} )/m).flatMap((section) => {
    const blocks = [...section.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
    const title = /^#+ (.*)/.exec(section)?.[1] ?? page;
    return blocks.length > 0 ? [{ title, code: blocks.join("\n") }] : [];
  });
}

/** The lines that the comments of a program promise. */
function promised(code: string): string[] {
  const lines: string[] = [];
  let printing = false;
  for (const line of code.split("\n")) {
    const call: RegExpExecArray | null = /console\.log\(.*\);(?: \/\/ (.*))?$/.exec(line);
    const below: RegExpExecArray | null = printing ? /^\s*\/\/ (.*)$/.exec(line) : null;
    const shown = call?.[1] ?? below?.[1];
    if (shown !== undefined) lines.push(shown);
    printing = call !== null || below !== null;
  }
  return lines;
}

/** What a program prints; a build without the native backend prints another device. */
async function printed(code: string): Promise<string[]> {
  const body = code
    .replace(/^import \* as tf from "millrace";$/m, "")
    .replace(/^import (\{.*\}) from ("@millrace\/(?:core\/\w+|lite-converter)");$/gm, "const $1 = modules[$2];");
  if (/^\s*import /m.test(body)) throw new Error(`in the docs: only millrace, ${Object.keys(modules)} are imported`);
  const lines: string[] = [];
  const console = { log: (...args: unknown[]) => lines.push(...format(...args).split("\n")) };
  // boundary: the constructor of async functions has no name
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await new AsyncFunction("tf", "modules", "console", `"use strict"; ${body}`)(tf, modules, console);
  return lines.map((line) => line.replaceAll("reference:0", "cpu:0").trimEnd());
}

describe.each(pages)("%s", (page) => {
  const sections = sectionsOf(page);
  test("has code", () => expect(sections.length).toBeGreaterThan(0));
  test.each(sections)("$title", async ({ code }) => {
    expect(await printed(code)).toEqual(promised(code));
  });
});
