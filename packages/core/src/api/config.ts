// tf.config: settings of the engine.
import { setLogicalDevices as makeDevices } from "../runtime/backends.js";
import { runFunctionsEagerly as runEagerly, runsFunctionsEagerly } from "../runtime/function.js";
import { placement } from "../runtime/placement.js";

/**
 * Gives a backend more devices than the machine has: "cpu:0", "cpu:1" and so on, each with memory and a queue of its own. They
 * share the machine's threads; that is for trying out a program of several devices. Devices that there are stay.
 * @param backend its name, as "cpu"; it is started if need be
 * @param count how many it has then
 * @throws E_DEVICE where it has more already, or brings several by itself; E_BACKEND where it cannot start
 * @example
 *     tf.config.setLogicalDevices("reference", 2);
 *     tf.tensor([1, 2]).to("reference:1").device; // "reference:1"
 */
export function setLogicalDevices(backend: string, count: number): void {
  makeDevices(backend, count);
}

/**
 * Whether what cannot be placed as it was asked for is placed elsewhere: tf.device takes the default device where there is none of
 * its name, and an op whose operands are on several devices runs where the first is, on copies of the others. The logger's info
 * gets each such decision, once a line. Off unless set, since a copy that nobody sees is a fault of speed that nobody finds: then both
 * are E_DEVICE.
 * @param on whether placement is soft from now on
 */
export function setSoftDevicePlacement(on: boolean): void {
  placement.soft = on;
}

/** Whether placement is soft; see setSoftDevicePlacement. */
export function getSoftDevicePlacement(): boolean {
  return placement.soft;
}

/** Makes every tf.function run its JavaScript each time, to step through it in a debugger. Also `tf.runFunctionsEagerly`. */
export function runFunctionsEagerly(on: boolean): void {
  runEagerly(on);
}

/** Whether functions run their JavaScript each time. */
export function functionsRunEagerly(): boolean {
  return runsFunctionsEagerly();
}
