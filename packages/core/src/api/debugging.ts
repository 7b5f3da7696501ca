// tf.debugging: what helps to find a fault, and costs too much to be on all the time.
import { engine } from "../runtime/engine.js";
import { numerics } from "../runtime/numerics.js";
import { origins } from "../runtime/origins.js";
import { placement } from "../runtime/placement.js";
import { setPurityCheck } from "../runtime/purity.js";

export * from "./asserts.js";

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
 * Makes the logger's info tell of each op on what device it runs: in eager code at each call, in a function while it is traced.
 * @param on whether it is told from now on
 */
export function setLogDevicePlacement(on: boolean): void {
  placement.logged = on;
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

/**
 * Makes every op look whether it made a NaN, or an ∞ of finite operands, from now on: in eager code and in functions, those that
 * were traced before too, in the gradient and inside of tf.cond and tf.whileLoop. The first that does stops the program with
 * E_ARGUMENT, which names the op and the line that asked for it; a variable that the program was to assign stays as it is. A NaN
 * that comes from outside is named by the op that meets it; an ∞ from outside may pass, as a mask of −∞ does. Ops that a kernel
 * computes together are apart meanwhile, so programs are slower, and are compiled anew.
 * @example
 *     tf.debugging.enableCheckNumerics();
 *     const logOf = tf.fn((x) => tf.log(x.sub(1)));
 *     try {
 *       logOf(tf.tensor([3, 1]));
 *     } catch (error) {
 *       error.message; // "… log made ∞ of finite operands\n  at …", with the line of tf.log
 *     }
 *     tf.debugging.disableCheckNumerics();
 */
export function enableCheckNumerics(): void {
  watch(true);
}

/** Ends what tf.debugging.enableCheckNumerics began. */
export function disableCheckNumerics(): void {
  watch(false);
}

function watch(on: boolean): void {
  if (numerics.watched === on) return;
  numerics.watched = on;
  engine.forgetPrograms();
}
