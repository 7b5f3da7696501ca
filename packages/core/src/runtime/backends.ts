// Which backends there are, which one is used, and what devices they bring.
import { isMillraceError, MillraceError } from "../types/errors.js";
import { version } from "../types/version.gen.js";
import type { Backend, BackendFactory, DeviceInfo } from "./backend.js";
import { Device } from "./device.js";

interface Registration {
  readonly name: string;
  readonly priority: number;
  readonly factory: BackendFactory;
  started?: Backend;
  /** Others of its kind, for logical devices. */
  readonly more: Backend[];
  starting?: Promise<Backend>;
  failure?: unknown;
}

const registrations = new Map<string, Registration>();
const devices = new Map<string, Device>();
let current: Device | null = null;

/** Makes a backend known; a name that is known stays as it is. */
export function addBackend(name: string, factory: BackendFactory, priority: number): void {
  if (!registrations.has(name)) registrations.set(name, { name, factory, priority, more: [] });
}

function byPriority(): Registration[] {
  return [...registrations.values()].sort((a, b) => b.priority - a.priority);
}

/** Starts a backend; a promise where it starts asynchronously. */
function start(r: Registration): Backend | Promise<Backend> {
  if (r.started) return r.started;
  if (r.starting) return r.starting;
  if (r.failure !== undefined) throw r.failure;
  try {
    const made = r.factory();
    if (!(made instanceof Promise)) return adopt(r, made);
    r.starting = made.then((b) => adopt(r, b));
    r.starting.catch((error: unknown) => {
      r.failure = error;
    });
    return r.starting;
  } catch (error) {
    r.failure = error;
    throw error;
  }
}

function adopt(r: Registration, backend: Backend): Backend {
  if (backend.version !== undefined && backend.version !== version) {
    const both = `the ${r.name} backend is version ${backend.version}, @millrace/core ${version}`;
    throw new MillraceError("E_VERSION", `${both}: install one version of both`);
  }
  const taken = backend.devices().find((info) => devices.has(info.name));
  if (taken) {
    const why = `the ${r.name} backend has a device called ${taken.name}, as the ${devices.get(taken.name)!.backend.name} backend has`;
    throw new MillraceError("E_BACKEND", `${why}: give it another name`);
  }
  r.started = backend;
  for (const [i, info] of backend.devices().entries()) devices.set(info.name, new Device(backend, i));
  return backend;
}

function firstDevice(backend: Backend): Device {
  return devices.get(backend.devices()[0]!.name)!;
}

/** The device that ops without operands use: that of the highest-priority backend that starts at once. */
export function currentDevice(): Device {
  if (current) return current;
  const reasons: string[] = [];
  let waiting: string | undefined;
  for (const r of byPriority()) {
    try {
      const backend = start(r);
      if (!(backend instanceof Promise)) {
        current = firstDevice(backend);
        return current;
      }
      waiting ??= r.name;
    } catch (error) {
      reasons.push(reasonOf(r, error));
    }
  }
  if (waiting)
    throw new MillraceError(
      "E_BACKEND_NOT_READY",
      `the ${waiting} backend starts asynchronously: await tf.ready() first`,
    );
  throw new MillraceError("E_BACKEND", `no backend could be started${reasons.map((x) => `\n  ${x}`).join("")}`);
}

/** Why a backend did not start. Another version or a wrong setting is no reason to take the next one in silence. */
function reasonOf({ name }: Registration, error: unknown): string {
  if (isMillraceError(error, "E_VERSION") || isMillraceError(error, "E_ARGUMENT")) throw error;
  return `${name}: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  if (isMillraceError(error)) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

/** Resolves when a backend is ready: the highest-priority one that starts. */
export async function ready(): Promise<void> {
  if (current) return;
  const reasons: string[] = [];
  for (const r of byPriority()) {
    try {
      current = firstDevice(await start(r));
      return;
    } catch (error) {
      reasons.push(reasonOf(r, error));
    }
  }
  throw new MillraceError("E_BACKEND", `no backend could be started${reasons.map((x) => `\n  ${x}`).join("")}`);
}

/** Makes a backend the default. Rejects with E_BACKEND and the reason where it cannot start. */
export async function setBackend(name: string): Promise<void> {
  const r = registrations.get(name);
  if (!r) {
    const known = [...registrations.keys()].join(", ") || "none";
    throw new MillraceError("E_BACKEND", `no backend is called ${name}; registered: ${known}`);
  }
  try {
    current = firstDevice(await start(r));
  } catch (error) {
    throw new MillraceError("E_BACKEND", `the ${name} backend cannot start: ${messageOf(error)}`, { cause: error });
  }
}

/** The name of the default backend. */
export function getBackend(): string {
  return currentDevice().backend.name;
}

/** Every backend that has been started. */
export function startedBackends(): Backend[] {
  return [...registrations.values()].flatMap((r) => (r.started ? [r.started, ...r.more] : []));
}

/** Every device of a backend that has been started. */
export function startedDevices(): Device[] {
  return [...devices.values()];
}

/** See tf.config.setLogicalDevices. A logical device is a backend of its own, with its own memory and queue. */
export function setLogicalDevices(name: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new MillraceError("E_ARGUMENT", `setLogicalDevices: needs a number of devices from 1, got ${String(count)}`);
  const first = deviceNamed(name).backend;
  const r = [...registrations.values()].find(({ started }) => started === first)!;
  const refused = (why: string): MillraceError =>
    new MillraceError("E_DEVICE", `setLogicalDevices: the ${r.name} backend ${why}`);
  if (first.devices().length > 1) throw refused(`has ${first.devices().length} devices of its own`);
  if (count <= r.more.length) throw refused(`has ${r.more.length + 1} devices already, which cannot go`);
  const stem = first.devices()[0]!.name.replace(/:0$/, "");
  while (r.more.length + 1 < count) {
    const made = r.factory();
    if (made instanceof Promise) throw refused("starts asynchronously, and has one device");
    r.more.push(made);
    const device = new Device(made, 0, `${stem}:${r.more.length}`);
    devices.set(device.name, device);
  }
}

/** A device by name: "cpu:0", or "cpu" for the first of its backend, which is started if need be. */
export function deviceNamed(name: string): Device {
  const exact = devices.get(name) ?? devices.get(`${name}:0`);
  if (exact) return exact;
  const r = registrations.get(name.split(":")[0]!);
  if (r && !r.started) {
    const backend = start(r);
    if (backend instanceof Promise)
      throw new MillraceError(
        "E_BACKEND_NOT_READY",
        `the ${r.name} backend starts asynchronously: await tf.setBackend("${r.name}") first`,
      );
    return deviceNamed(name);
  }
  throw new MillraceError(
    "E_DEVICE",
    `no device is called ${name}; there are ${[...devices.keys()].join(", ") || "none"}`,
  );
}

/**
 * The devices of the backends that have been started, the default one first.
 * @example tf.listDevices().map((device) => device.name) // ["cpu:0"]
 */
export function listDevices(): readonly DeviceInfo[] {
  const all = [...devices.values()].sort((a, b) => Number(b === current) - Number(a === current));
  return all.map(({ backend, index, name }) => ({ ...backend.devices()[index]!, name }));
}
