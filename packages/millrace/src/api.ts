/**
 * Machine learning in TypeScript, as one namespace: `import * as tf from "millrace"`.
 * @packageDocumentation
 */
export * from "@millrace/artifact";
export * from "@millrace/autodiff";
export * as data from "@millrace/data";
export * from "@millrace/layers";
export type { ExportOptions, LiteExportOptions } from "./export.js";
export * as lite from "./lite.js";
