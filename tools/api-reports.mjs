// node tools/api-reports.mjs: writes etc/*.api.md, what each entry point of each built package exports, with its types.
// --check compares instead: a change of the public contract shows in review, and needs a changeset once a version is out.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { root } from "./lib/generated.mjs";

/** What an export is that bears no tag of its own, by entry point; @public unless named. Nothing internal is reported. */
const releaseTags = {
  "core/backend": "beta",
  "core/extend": "beta",
  "core/graph": "internal",
  "core/testing": "beta",
  "backend-null": "beta",
};

const check = process.argv.includes("--check");
const work = mkdtempSync(join(tmpdir(), "millrace-api-"));
const quiet = { logLevel: ExtractorLogLevel.None };
const problems = [];

/** The entry points of a package by their names: "core/backend" → its declarations. */
function entriesOf(name) {
  const { exports } = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  return Object.entries(exports).flatMap(([path, { types }]) => (types ? [[join(name, path), types]] : []));
}

/** The report of one entry point. */
function report(entry, name, types) {
  const folder = join(root, "packages", name);
  const declarations = join(folder, types);
  if (!existsSync(declarations)) throw new Error(`packages/${name} is not built: npm run build`);
  const reportFileName = `${entry.replaceAll("/", ".")}.api.md`;
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: declarations,
      // A namespace of another package (`tf.data`) can only be shown as part of this one.
      bundledPackages: name === "millrace" ? ["@millrace/data"] : [],
      newlineKind: "lf",
      apiReport: { enabled: true, reportFolder: work, reportTempFolder: join(work, "temp"), reportFileName },
      compiler: { overrideTsconfig: { compilerOptions } },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: quiet },
        extractorMessageReporting: { default: quiet },
        tsdocMessageReporting: { default: quiet },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, "package.json"),
  });
  Extractor.invoke(config, { localBuild: true, showVerboseMessages: false, messageCallback: stayQuiet });
  const text = readFileSync(join(work, reportFileName), "utf8");
  const tag = releaseTags[entry] ?? "public";
  return [reportFileName, text.replaceAll(/^\/\/ @public(?= |$)/gm, `// @${tag}`)];
}

const compilerOptions = {
  target: "es2022",
  lib: ["es2022", "esnext.disposable"],
  types: [],
  module: "nodenext",
  moduleResolution: "nodenext",
  strict: true,
  skipLibCheck: true,
};

function stayQuiet(message) {
  if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true;
}

function keep([file, text]) {
  const path = join(root, "etc", file);
  const known = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (known === text) return;
  if (check) problems.push(`etc/${file} is stale: run node tools/api-reports.mjs, and npx changeset`);
  else writeFileSync(path, text);
}

/** Once a version is out, a report that differs from it needs a changeset. */
function checkChangesets() {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const released = git("tag", "--list", "@millrace/core@*", "--sort=-version:refname").split("\n")[0];
  if (released === "") return;
  const changed = git("diff", "--name-only", released, "--", "etc");
  const changesets = readdirSync(join(root, ".changeset")).filter(
    (name) => name.endsWith(".md") && name !== "README.md",
  );
  if (changed !== "" && changesets.length === 0)
    problems.push(`the public contract is not that of ${released} (${changed.split("\n").join(", ")}): npx changeset`);
}

mkdirSync(join(root, "etc"), { recursive: true });
try {
  const entries = readdirSync(join(root, "packages")).flatMap((name) =>
    entriesOf(name).map(([entry, types]) => ({ entry, name, types })),
  );
  const reported = entries.filter(({ entry }) => releaseTags[entry] !== "internal");
  const reports = reported.map(({ entry, name, types }) => report(entry, name, types));
  for (const one of reports) keep(one);
  const left = readdirSync(join(root, "etc")).filter((file) => !reports.some(([name]) => name === file));
  for (const file of left) problems.push(`etc/${file} belongs to no entry point`);
  if (check) checkChangesets();
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
