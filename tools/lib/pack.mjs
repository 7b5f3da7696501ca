// Packs what would be published, as it would be published.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { root } from "./generated.mjs";

const readManifest = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));

/** The folders of the packages in TypeScript, from the root: "packages/core". */
export const packageFolders = () => readdirSync(join(root, "packages")).map((name) => `packages/${name}`);

/** The folders of the native addon's packages: the loader and its platforms. Where it is not built they are empty. */
export const nativeFolders = () => [
  "native/node",
  ...readdirSync(join(root, "native/node/npm")).map((name) => `native/node/npm/${name}`),
];

/** Runs a tool of the workspace; what it says is shown where it fails. */
export function tool(command, args, cwd = ".") {
  const bin = join(root, "node_modules/.bin", command);
  const windows = process.platform === "win32";
  const { status, stdout, stderr, error } = spawnSync(bin, args, { cwd, encoding: "utf8", shell: windows });
  if (status !== 0) console.log(`${command} ${args.join(" ")}\n${error?.message ?? stdout + stderr}`);
  return status === 0;
}

/** Packs `folders` into `out`, which is emptied first. Gives name → tarball, undefined where packing failed. */
export function pack(folders, out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  return Object.fromEntries(
    folders.map((folder) => {
      const { name, version } = readManifest(folder);
      const tarball = join(resolve(out), `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
      const ok = tool("pnpm", ["pack", "--pack-destination", resolve(out)], join(root, folder));
      return [name, ok ? tarball : undefined];
    }),
  );
}
