// A second installation of core in the same process.
import * as core from "@millrace/core";

core.registerReferenceBackend();
const second = await import("../second/dist/index.js");
const codeOf = (f) => {
  try {
    f();
    return "nothing";
  } catch (error) {
    return core.isMillraceError(error) ? error.code : String(error);
  }
};
const y = [codeOf(() => second.registerReferenceBackend()), codeOf(() => second.add(1, 2))];
console.log(JSON.stringify({ y, backend: core.getBackend(), node: process.version }));
