// tf.debugging: what helps to find a fault, and costs too much to be on all the time.
import { engine } from "../runtime/engine.js";
import { origins } from "../runtime/origins.js";
import { setPurityCheck } from "../runtime/purity.js";

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

/**
 * Makes every tf.function be traced twice from now on, to find what its graph would not do: where the function calls
 * Math.random, Date.now, performance.now, `new Date()` or the console, or where its two graphs differ, as they do by a counter,
 * the logger gets W_IMPURE_FUNCTION with the line, and with the number that became a constant. Tracing calls the function;
 * turn it on before the first calls, and off when the fault is found. Datasets look at their functions without being asked.
 * @param on whether functions are traced twice from now on
 * @example
 *     const warnings = [];
 *     tf.setLogger({ warn: (message) => warnings.push(message) });
 *     tf.debugging.checkPurity(true);
 *     const noisy = tf.fn((x) => x.mul(Math.random()));
 *     noisy(tf.ones([2]));
 *     tf.debugging.checkPurity(false);
 *     tf.setLogger();
 *     warnings.length; // 1
 */
export function checkPurity(on: boolean): void {
  setPurityCheck(on);
}
