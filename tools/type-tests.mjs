// Tests of the packages' types, on TypeScript 6 and 7: what compiles with which result (type-tests/compile), what must not
// compile and the sentence it says (type-tests/reject); for core a fuzz against plain computations, and a ceiling on the
// compiler's work for a call. They run against the declarations that consumers get,
// and so does the TypeScript of docs/types.md.
//   node tools/type-tests.mjs            runs all, and closes with `N passed, N failed`
//   node tools/type-tests.mjs --update   writes the sentences of type-tests/reject anew
//   node tools/type-tests.mjs --seed 7   another fuzz
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { ceilings, costCases, costModule, emptyModule } from "../packages/core/type-tests/cost.mjs";
import { docsModule } from "../packages/core/type-tests/docs.mjs";
import { fuzzArith } from "../packages/core/type-tests/fuzz-arith.mjs";
import { fuzzOps } from "../packages/core/type-tests/fuzz-ops.mjs";
import { limits } from "../packages/core/type-tests/limits.mjs";
import { root } from "./lib/generated.mjs";

process.chdir(root);
const work = ".test/type-tests";
const compilers = new Map([
  ["7", "node_modules/ts7/bin/tsc"],
  ["6", "node_modules/typescript/bin/tsc"],
]);
const update = process.argv.includes("--update");
const seedAt = process.argv.indexOf("--seed");
const seed = seedAt < 0 ? 1 : Number(process.argv[seedAt + 1]);
const fuzzCount = 7200;

let configs = 0;
let passed = 0;
const failures = [];
const pass = (count) => {
  passed += count;
};

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const packages = readdirSync("packages").filter((name) => existsSync(`packages/${name}/tsconfig.build.json`));
for (const name of packages) declare(name);
writeConfig();

/** The tests of one kind of all packages: type-tests/compile.ts, or the files of a folder compile. */
const filesOf = (kind) =>
  packages.flatMap((name) => {
    const folder = `packages/${name}/type-tests/${kind}`;
    if (existsSync(`${folder}.ts`)) return [`${folder}.ts`];
    return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  });
const compiling = filesOf("compile");
const docs = join(work, "docs-types.ts");
writeFileSync(docs, docsModule(readFileSync("docs/types.md", "utf8")));
const rejected = [...filesOf("reject"), docs];
const generated = {
  "fuzz-ops.ts": fuzzOps(seed, fuzzCount),
  "fuzz-arith.ts": fuzzArith(seed, 300),
  "limits.ts": limits(),
};
for (const [name, text] of Object.entries(generated)) writeFileSync(join(work, name), text);
const fuzzed = Object.keys(generated).map((name) => join(work, name));

// The slower compiler works on in its process while the other's results are looked at.
const runs = new Map(
  [...compilers].map(([version, compiler]) => [version, compile(compiler, [...compiling, ...rejected, ...fuzzed])]),
);
for (const [version, compiler] of compilers) {
  const { errors } = await runs.get(version);
  for (const file of compiling) checkCompiling(version, file, errors);
  for (const file of rejected) checkRejected(version, file, errors);
  for (const file of fuzzed) checkFuzz(version, file, errors);
  const known = new Set([...compiling, ...rejected, ...fuzzed]);
  for (const error of errors.filter(({ file }) => !known.has(file))) fail(version, error);
  await checkDeclarations(version, compiler);
  console.log(`TypeScript ${version}: dearest calls in instantiations: ${await measure(version, compiler)}`);
}

for (const failure of failures) console.log(failure);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

function fail(version, { file, line, code, message }) {
  failures.push(`TypeScript ${version}: ${file}:${line}: ${code} ${message}`);
}

/** Writes the declarations of a package to a folder of its name: what a consumer of the package sees. */
function declare(name) {
  const out = join(work, name);
  const { status, stdout } = spawnSync(
    process.execPath,
    [compilers.get("7"), "-p", `packages/${name}/tsconfig.build.json`, "--outDir", out, "--declarationMap", "false"],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the declarations of ${name} could not be written:\n${stdout}`);
  for (const file of readdirSync(out, { recursive: true }).filter((path) => path.endsWith(".d.ts"))) {
    // TypeScript before 5.7 knows no type parameter of typed arrays
    if (!/\b(?:Big)?(?:Int|Uint|Float)\w*Array</.test(readFileSync(join(out, file), "utf8"))) pass(1);
    else failures.push(`${name}/${file}: names a typed array with a type argument`);
  }
}

function writeConfig() {
  const up = relative(work, ".");
  const compilerOptions = {
    paths: Object.fromEntries(
      packages.flatMap((name) => {
        const specifier = name === "millrace" ? name : `@millrace/${name}`;
        return [
          [specifier, [`./${name}/index.d.ts`]],
          [`${specifier}/*`, [`./${name}/*.d.ts`]],
        ];
      }),
    ),
    customConditions: [],
    checkJs: true,
    allowJs: true,
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
  };
  writeFileSync(
    join(work, "tsconfig.all.json"),
    JSON.stringify({ extends: `${up}/tsconfig.base.json`, compilerOptions }),
  );
}

/** Runs a compiler on files; gives its errors and the number of its instantiations. */
async function compile(compiler, files, flags = []) {
  const config = join(work, `tsconfig.${configs++}.json`);
  const base = JSON.parse(readFileSync(join(work, "tsconfig.all.json"), "utf8"));
  writeFileSync(config, JSON.stringify({ ...base, files: files.map((file) => relative(work, file)) }));
  const child = spawn(process.execPath, [compiler, "-p", config, "--pretty", "false", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  let stdout = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) stdout += chunk;
  const [, signal] = await closed;
  if (signal !== null) throw new Error(`${compiler} did not finish`);
  const errors = [];
  for (const text of stdout.split("\n")) {
    const found = /^(.+?)\((\d+),\d+\): error (TS\d+): (.*)$/.exec(text);
    if (found) errors.push({ file: found[1], line: Number(found[2]), code: found[3], message: found[4] });
    else if (/^error TS/.test(text)) throw new Error(text);
  }
  return { errors, instantiations: Number(/Instantiations:\s+([\d,]+)/.exec(stdout)?.[1].replaceAll(",", "")) };
}

/** The declarations stand by themselves: no library but ES2022's, and nothing skipped. */
async function checkDeclarations(version, compiler) {
  const flags = ["--lib", "es2022", "--target", "es2022", "--skipLibCheck", "false"];
  const { errors } = await compile(compiler, [`${work}/core/index.d.ts`], flags);
  if (errors.length === 0) pass(1);
  for (const error of errors) fail(version, error);
}

/** Every check of a file compiles; a line with an error fails. */
function checkCompiling(version, file, errors) {
  const wrong = errors.filter((error) => error.file === file);
  const checks = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => /^(?:is|same|sameType)<|^ {2}True<|^\w.*[;{]$/.test(line)).length;
  pass(checks - new Set(wrong.map(({ line }) => line)).size);
  for (const error of wrong) fail(version, error);
}

/** Every line of a fuzz module is a case. */
function checkFuzz(version, file, errors) {
  const wrong = errors.filter((error) => error.file === file);
  const lines = readFileSync(file, "utf8").split("\n");
  pass(lines.filter((line) => /^(?:is<|export type|\/\/ @ts-expect-error)/.test(line)).length - wrong.length);
  for (const error of wrong)
    fail(version, { ...error, message: `${error.message} in: ${lines[error.line - 1].slice(0, 200)}` });
}

/**
 * Every statement that follows a line `//! sentence` fails with exactly that sentence; `//! TS2554` asks for another error
 * of that code, `//! TS` for one of any code, since the compilers do not always agree. No other statement fails.
 */
function checkRejected(version, file, errors) {
  const lines = readFileSync(file, "utf8").split("\n");
  const said = new Map(errors.filter((error) => error.file === file).map((error) => [error.line, sentenceOf(error)]));
  if (update && version === "6") {
    const kept = lines.flatMap((line, i) => (line.startsWith("//! ") ? [] : [[line, said.get(i + 1)]]));
    writeFileSync(file, kept.flatMap(([line, sentence]) => (sentence ? [`//! ${sentence}`, line] : [line])).join("\n"));
    return;
  }
  for (const [i, line] of lines.entries()) {
    const wanted = lines[i - 1]?.startsWith("//! ") ? lines[i - 1].slice(4) : undefined;
    const got = said.get(i + 1);
    if (wanted === got || (wanted === "TS" && /^TS\d+$/.test(got ?? ""))) pass(wanted === undefined ? 0 : 1);
    else
      failures.push(
        `TypeScript ${version}: ${file}:${i + 1}: says ${got ?? "nothing"}, wanted ${wanted ?? "nothing"}: ${line}`,
      );
  }
}

/** The sentence of a rule in a compiler's message, else the code of the error. */
function sentenceOf({ code, message }) {
  return /to (?:parameter of )?type '"(.*)"'\.$/.exec(message)?.[1] ?? code;
}

/** Holds the cost of every call under its ceiling; gives the dearest of each kind. */
async function measure(version, compiler) {
  const count = 50;
  const modules = {
    empty: emptyModule(),
    ...Object.fromEntries(Object.entries(costCases).map(([name, it]) => [name, costModule(it, count)])),
  };
  const measured = version === "6" ? countInProcess(modules) : await countByRuns(compiler, modules);
  const dearest = {};
  for (const [name, { kind }] of Object.entries(costCases)) {
    const { message } = measured[name];
    const cost = Math.round((measured[name].count - measured.empty.count) / count);
    if (message !== undefined) failures.push(`TypeScript ${version}: the calls of ${name} do not compile: ${message}`);
    else if (cost > 0 && cost <= ceilings[kind]) pass(1);
    else failures.push(`TypeScript ${version}: a call of ${name} costs ${cost} instantiations, over ${ceilings[kind]}`);
    if (!(dearest[kind]?.cost >= cost)) dearest[kind] = { name, cost };
    if (process.argv.includes("--cost")) console.log(`  ${name}: ${cost}`);
  }
  return Object.values(dearest)
    .map(({ name, cost }) => `${name} ${cost}`)
    .join(", ");
}

/** A run of the compiler for each module. */
async function countByRuns(compiler, modules) {
  const measured = {};
  for (const [name, text] of Object.entries(modules)) {
    const file = join(work, "cost.ts");
    writeFileSync(file, text);
    const { errors, instantiations } = await compile(compiler, [file], ["--extendedDiagnostics", "--singleThreaded"]);
    measured[name] = { message: errors[0]?.message, count: instantiations };
  }
  return measured;
}

/** A program for each module in this process, on shared source files: as a run each, without the start. */
function countInProcess(modules) {
  const { config } = ts.readConfigFile(join(work, "tsconfig.all.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, work);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  const sources = new Map();
  host.getSourceFile = (name, ...rest) => {
    if (!sources.has(name)) sources.set(name, getSourceFile(name, ...rest));
    return sources.get(name);
  };
  return Object.fromEntries(
    Object.entries(modules).map(([name, text]) => {
      const file = join(work, `cost-${name}.ts`);
      writeFileSync(file, text);
      const program = ts.createProgram([file], options, host);
      const [error] = program.getSemanticDiagnostics(program.getSourceFile(file));
      const message = error && ts.flattenDiagnosticMessageText(error.messageText, "\n");
      return [name, { message, count: program.getInstantiationCount() }];
    }),
  );
}
