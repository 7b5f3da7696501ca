/** The namespace for Node: registers the native CPU backend, and the reference backend below it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { provideFiles, registerBackend, registerReferenceBackend } from "@millrace/autodiff";
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import { provideSourceReader } from "@millrace/core/graph";
import { installExport } from "./export.js";
import { nodeFiles } from "./files.js";

export * from "./api.js";
export * from "./serving.js";

registerBackend("cpu", createCpuBackend, { priority: 10 });
registerReferenceBackend();
provideFiles(nodeFiles);
installExport();

// Errors show the user's line, where its file can be read.
provideSourceReader(({ file, line }) => {
  try {
    const path = file.startsWith("file://") ? fileURLToPath(file) : file;
    return readFileSync(path, "utf8").split("\n")[line - 1];
  } catch {
    return undefined;
  }
});
