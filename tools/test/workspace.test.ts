import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const json = (path: string) => JSON.parse(readFileSync(new URL(path, root), "utf8"));
const packages = readdirSync(new URL("packages", root)).map((name) => [name, json(`packages/${name}/package.json`)]);
const native = ["native/node", "native/node/npm/linux-x64-gnu"].map((path) => [path, json(`${path}/package.json`)]);

test.each([...packages, ...native])("%s is publishable under the workspace's terms", (_name, pkg) => {
  expect(pkg).toMatchObject({
    license: "Apache-2.0",
    engines: { node: ">=20.19" },
    publishConfig: { access: "public" },
    version: json("packages/core/package.json").version,
  });
  expect(Object.keys(pkg.scripts ?? {})).not.toContain("postinstall");
});

test.each([...packages, ...native])("%s depends on its own group by workspace:^ and never as a peer", (_name, pkg) => {
  const own = (deps: Record<string, string> = {}) =>
    Object.entries(deps).filter(([name]) => /^(@millrace\/|millrace$)/.test(name));
  for (const [, range] of own({ ...pkg.dependencies, ...pkg.optionalDependencies })) expect(range).toBe("workspace:^");
  expect(own(pkg.peerDependencies)).toEqual([]);
});

test.each(packages)("%s is ESM only", (_name, pkg) => {
  expect(pkg.type).toBe("module");
  expect(JSON.stringify(pkg.exports)).not.toMatch(/"require"|"import"|\.cjs/);
});
