// An example that is a project of its own, built and tested by its own scripts.
import { check, expect, run } from "./checks.mjs";

/** Runs the tests of the example in `dir`. */
export async function checkExample(name, dir) {
  await check(`examples/${name} passes its tests`, async () => {
    const output = await run("npm", ["test", "--silent"], dir);
    const count = Number(/^# pass (\d+)$/m.exec(output)?.[1] ?? 0);
    expect(count > 20, `it ran ${count} tests\n${output}`);
    console.log(`    ${count} tests`);
  });
}
