// The pages of `millrace explain`: an example on a page throws the error that the page is about.

import { errorPages } from "../../src/cli/error-pages.gen.js";
import * as tf from "../../src/index.js";

/** The indented lines of a page. */
const exampleOf = (page: string): string =>
  page
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .join("\n");

const examples = Object.entries(errorPages)
  .map(([code, page]) => ({ code, example: exampleOf(page) }))
  .filter(({ example }) => example !== "");

test("most errors that a user can cause have an example", () => expect(examples.length).toBeGreaterThanOrEqual(15));

test.each(examples)("$code: its example throws it", async ({ code, example }) => {
  const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (tfNow: typeof tf) => Promise<void>;
  const error: unknown = await new AsyncFunction("tf", example)(tf).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code });
});
