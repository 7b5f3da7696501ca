// Where ops run: what tf.config and tf.debugging say of it.
import type { Attrs } from "../ir/attrs.js";
import type { AnyOp } from "../ir/op.js";
import { copyOp } from "../passes/place.js";
import type { Trace } from "../trace/trace.js";
import { isMillraceError, MillraceError } from "../types/errors.js";
import { captureSites, formatSite } from "../types/site.js";
import { currentDevice, deviceNamed } from "./backends.js";
import type { Device } from "./device.js";
import { log } from "./logger.js";
import type { TensorImpl, TracerTensor } from "./tensor.js";

/** Whether what cannot run as it was asked for runs elsewhere, and whether each op's device is logged. */
export const placement: { soft: boolean; logged: boolean } = { soft: false, logged: false };

const told = new Set<string>();

/** Says once for each line what soft placement did. */
function tell(message: string): void {
  const [site] = captureSites(1);
  const line = `placement: ${message}${site ? `, at ${formatSite(site)}` : ""}`;
  if (told.has(line)) return;
  told.add(line);
  log().info(line);
}

/** The device of a tf.device scope. Under soft placement it is the default one where there is none of that name. */
export function deviceOfScope(name: string): Device {
  try {
    return deviceNamed(name);
  } catch (error) {
    if (!placement.soft || !isMillraceError(error, "E_DEVICE")) throw error;
    const device = currentDevice();
    tell(`there is no ${name}, so ${device.name} takes its place`);
    return device;
  }
}

/** Refuses an operand on another device, or says that it is copied. */
function meet({ name }: AnyOp, device: Device, other: Device, maySoften = true): void {
  if (placement.soft && maySoften) {
    tell(`${name} on ${device.name} gets a copy of an operand on ${other.name}`);
    return;
  }
  const places = `${name}: operands are on ${device.name} and ${other.name}`;
  throw new MillraceError("E_DEVICE", `${places}; move one with x.to("${device.name}")`, { op: name });
}

/** Logs where an op runs, where that was asked for. */
function logPlace({ name }: AnyOp, device: Device): Device {
  if (placement.logged) log().info(`placement: ${name} on ${device.name}`);
  return device;
}

/** Where an op on tensors runs: on `device`, if they are all there. */
export function commonDevice(op: AnyOp, ins: readonly TensorImpl[], device: Device): Device {
  for (const x of ins) if (x.type.device !== device) meet(op, device, x.type.device);
  return logPlace(op, device);
}

/** Where an op of a trace will run: where its operands are, and else on `device`. */
export function placeInTrace(
  trace: Trace,
  op: AnyOp,
  operands: readonly TracerTensor[],
  attrs: Attrs,
  device: Device,
): Device {
  // What depends on constants alone goes with the others.
  const places = operands.filter((x) => !x.isFree).map((x) => x.type.device);
  if (op === copyOp) return copyInTrace(trace, places[0], deviceNamed(String(attrs.device)));
  const [first = device] = places;
  for (const place of places) if (place !== first) meet(op, first, place, trace.parent === null);
  return logPlace(op, first);
}

function copyInTrace(trace: Trace, from: Device | undefined, to: Device): Device {
  if (!trace.parent || from === undefined || from === to) return to;
  const why = "inside of control flow all tensors are on one device; move it before";
  throw new MillraceError("E_UNIMPLEMENTED", `to("${to.name}"): ${why}`);
}
