import { ReferenceBackend } from "../src/runtime/reference-backend.js";
import { testBackend } from "../src/testing.js";

describe.each([false, true])("the reference backend keeps what backends promise, fusion %s", (fusion) => {
  const promises = testBackend(new ReferenceBackend({ fusion }));
  for (const { name, run } of promises) test(name, run);
});
