// j: start-up: import, backend and first op, beyond a node process that does nothing.
import { startup } from "../lib/startup.mjs";

const core = `
  import { add, registerBackend } from "@millrace/core";
  import { createCpuBackend } from "@millrace/backend-cpu-napi";
  registerBackend("cpu", createCpuBackend);
  if (add([1], [2]).dataSync()[0] !== 3) throw new Error("1 + 2 is 3")`;
const umbrella = `
  import * as tf from "millrace";
  if (tf.add([1], [2]).dataSync()[0] !== 3) throw new Error("1 + 2 is 3")`;

const tasks = (prefix, what, source) => ({
  [`${prefix}.time`]: () => startup({ name: `j.startup ${what}`, source, field: "milliseconds", unit: "ms" }),
  [`${prefix}.memory`]: () => startup({ name: `j.startup ${what}`, source, field: "megabytes", unit: "MB" }),
});

export const systems = {
  "millrace core + cpu": tasks("j", "core", core),
  millrace: tasks("j.millrace", "millrace", umbrella),
};
