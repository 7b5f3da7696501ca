/** The namespace for browsers: no Node import is reachable from here. Registers the reference backend. */
import { registerReferenceBackend } from "@millrace/autodiff";
import { installExport } from "./export.js";

export * from "./api.js";

registerReferenceBackend();
installExport();
