import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));

// verbatimModuleSyntax: without it swc drops an unused import, and a test that imports a missing file passes.
const swc = [
  "@swc/jest",
  {
    jsc: { parser: { syntax: "typescript" }, target: "es2022", transform: { verbatimModuleSyntax: true } },
    module: { type: "es6" },
    sourceMaps: "inline",
  },
];

/** The source condition makes a workspace package resolve to its src, so tests need no dist. */
const project = (name, dir) => ({
  displayName: name,
  rootDir: root + dir,
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: ["@millrace/source", "node", "node-addons"] },
  extensionsToTreatAsEsm: [".ts"],
  transform: { "^.+\\.ts$": swc },
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": ["$1.ts", "$1.js"] },
});

const packages = readdirSync(`${root}packages`).filter((name) => existsSync(`${root}packages/${name}/package.json`));

export default {
  maxWorkers: 2,
  // No test is about speed: this only ends one that hangs.
  testTimeout: 120_000,
  projects: [...packages.map((name) => project(name, `packages/${name}`)), project("tools", "tools")],
};
