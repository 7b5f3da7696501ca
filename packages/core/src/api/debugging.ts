// tf.debugging: what helps to find a fault, and costs too much to be on all the time.
import { engine } from "../runtime/engine.js";
import { origins } from "../runtime/origins.js";

/**
 * Makes tf.memory() tell live tensors apart by the line of yours that made them. While it is on each op and each call of a
 * function takes a stack, which costs more than a small op. It changes nothing for tensors that there are already: turned
 * off again, those made meanwhile keep their lines. A worker has a switch of its own.
 * @param on whether lines are noted from now on
 * @example
 *     tf.debugging.trackSites(true);
 *     const x = tf.ones([3]).exp();
 *     tf.debugging.trackSites(false);
 *     tf.memory().byOp.find((made) => made.op === "exp").site.line > 0; // true
 */
export function trackSites(on: boolean): void {
  origins.tracksSites = on;
  engine.settle();
}
