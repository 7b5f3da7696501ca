// The reference backend says so, once, where it is given much to do.
import * as core from "@millrace/core";

core.registerReferenceBackend();

test("a large program is warned of once, small ones are not", () => {
  const warnings: string[] = [];
  core.setLogger({ warn: (message) => warnings.push(message) });
  core.add(core.ones([10]), core.ones([10])).dispose();
  expect(warnings).toEqual([]);
  for (const n of [2_000_000, 2_000_001]) core.tidy(() => core.add(core.ones([n]), core.ones([n])));
  core.setLogger();
  expect(warnings).toEqual([expect.stringMatching(/^W_REFERENCE_BACKEND: .*reference backend/)]);
});
