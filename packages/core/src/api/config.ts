// tf.config: settings of the engine.
import { fastMath } from "../ir/fast-math.js";
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

/**
 * Lets convolutions be computed by faster ways that round otherwise: on the cpu backend float32 ones of 3×3 elements, without strides,
 * dilations and groups, from 32 channels and features on, by Winograd's minimal filtering. Their error is some 1e-6 of the sum of
 * their terms' sizes, ten times that of the sum itself; an ∞ or NaN of the input makes results NaN or ∞ that it does not meet, up to
 * four rows and columns away, and numbers beyond some 1e36 may overflow on the way. Gradients are computed as ever.
 * Off unless set. What is computed or traced from now on has the setting: a tf.function is traced anew, a graph that was saved or
 * taken keeps that of its trace.
 * @param on whether they may
 * @example
 *     tf.config.setFastMath(true);
 *     tf.config.getFastMath(); // true
 *     tf.config.setFastMath(false);
 */
export function setFastMath(on: boolean): void {
  fastMath.on = on;
}

/** Whether convolutions may be computed by faster ways; see setFastMath. */
export function getFastMath(): boolean {
  return fastMath.on;
}
