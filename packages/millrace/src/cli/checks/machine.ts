import { readFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { bytesText } from "../output.js";
import type { Check } from "./check.js";

const leastNode = [20, 19] as const;

/** Node, and the cores and memory that this process may use. */
export function machineChecks(): Check[] {
  return [nodeCheck(), threadsCheck(), memoryCheck()];
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNew = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  const found = `${process.versions.node} on ${process.platform}-${process.arch}`;
  if (isNew) return { name: "node", status: "ok", found };
  return { name: "node", status: "fail", found, advice: `install Node ${leastNode.join(".")} or later` };
}

function threadsCheck(): Check {
  const cores = os.cpus().length;
  const allowed = os.availableParallelism();
  const quota = cpuQuota();
  const values = { cores, allowed, quota };
  const model = os.cpus()[0]?.model.trim() ?? "an unknown processor";
  const limit = quota === null ? "" : `, a quota of ${quota.toFixed(1)}`;
  const found = `${allowed} of ${cores} cores of ${model}${limit}`;
  if (quota === null || allowed <= Math.ceil(quota)) return { name: "threads", status: "ok", found, values };
  const advice = `the container gets ${quota.toFixed(1)} cores but shows ${allowed}: threads will wait for each other`;
  return { name: "threads", status: "warn", found, values, advice };
}

/** Cores that a control group allows, from version 2 or 1; null where there is no limit. */
function cpuQuota(): number | null {
  const [quota, period] = readText("/sys/fs/cgroup/cpu.max")?.split(" ").map(Number) ?? [
    Number(readText("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") ?? Number.NaN),
    Number(readText("/sys/fs/cgroup/cpu/cpu.cfs_period_us") ?? Number.NaN),
  ];
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : null;
}

function memoryCheck(): Check {
  const total = os.totalmem();
  // 0, or more than there is, where nothing is set.
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 && constrained < total ? constrained : null;
  const values = { total, limit, free: os.freemem() };
  const of = limit === null ? bytesText(total) : `${bytesText(limit)} (the container's limit) of ${bytesText(total)}`;
  return { name: "memory", status: "ok", found: `${bytesText(os.freemem())} free of ${of}`, values };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
