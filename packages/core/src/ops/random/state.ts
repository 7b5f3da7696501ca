// Where random ops take their numbers from: a key and a counter, so that a draw is a function of its state alone.

import { MillraceError } from "../../types/errors.js";
import type { Like } from "../../types/operands.js";
import type { Tensor } from "../../types/tensor.js";
import { unwatched } from "../../types/unwatched.js";
import { add } from "../binary/arithmetic.js";
import { toTensor } from "../public.js";
import { philox } from "./philox.js";

/** The default generator. Its state is [key, key, 0, draws so far]: each draw has a counter range of its own. */
export interface RandomState {
  /** The state for one draw, an int32[4] that no later draw gets. */
  take(): Tensor;
  /** Goes on from this state. */
  reset(words: Int32Array): void;
}

/** What one draw adds to the state. */
const draw = Int32Array.of(0, 0, 0, 1);

/** A seed that nobody chose. The first draw of a function that is being traced asks for one too. */
const seedByChance = (): number => Math.floor(unwatched(Math.random)() * 2 ** 53);

/** A state in JavaScript: new numbers on every eager call; a function that is traced would keep those of its trace. */
export function hostState(): RandomState {
  let words = keyOf(seedByChance(), true);
  return {
    take() {
      const now = toTensor(words);
      words = words.map((word, i) => word + draw[i]!);
      return now;
    },
    reset(next) {
      words = next;
    },
  };
}

/** What a state in a variable needs of it. */
interface StateVariable {
  read(): Tensor;
  assign(value: Like): unknown;
}

/**
 * A state in a variable of int32[4]: a traced function reads and advances it at each call, so it draws new numbers.
 * The engine puts it in place of the host's: `randomState.current = variableState((words) => variable(words))`. The
 * first draw calls `make`, also where that is inside of a trace.
 */
export function variableState(make: (words: Int32Array) => StateVariable): RandomState {
  let variable: StateVariable | undefined;
  let first = keyOf(seedByChance(), true);
  return {
    take() {
      variable ??= make(first);
      const now = variable.read();
      variable.assign(add(now, draw));
      return now;
    },
    reset(words) {
      first = words;
      variable?.assign(words);
    },
  };
}

/** The slot of the default generator. */
export const randomState: { current: RandomState } = { current: hostState() };

/** The state for a draw: that of the seed, the same each time, or the default generator's next. */
export function nextState(name: string, seed?: number): Tensor {
  return seed === undefined ? randomState.current.take() : toTensor(keyOf(checkSeed(name, seed), false));
}

/**
 * Makes the numbers that are drawn from now on without a seed of their own repeat from run to run.
 * @param seed a whole number from 0 to 2^53 − 1
 * @example tf.setRandomSeed(7) // undefined
 * @public
 */
export function setRandomSeed(seed: number): void {
  const words = keyOf(checkSeed("setRandomSeed", seed), true);
  randomState.current.reset(words);
  seeds = { key: [words[0]!, words[1]!], count: 0 };
}

/** What follows from setRandomSeed; undefined before. */
let seeds: { readonly key: readonly [number, number]; count: number } | undefined;

/**
 * A seed for what draws in JavaScript, as the order of a dataset: by chance, but the same from run to run after setRandomSeed.
 * @internal
 */
export function drawSeed(): number {
  if (!seeds) return seedByChance();
  // No draw of the default generator has this counter.
  const [low, high] = philox([seeds.count++, 0, 0, 0x5eed], seeds.key);
  return (low >>> 0) * 2 ** 21 + (high >>> 11);
}

function checkSeed(name: string, seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new MillraceError("E_ARGUMENT", `${name}: seed must be a whole number from 0 to 2^53 - 1, got ${seed}`, {
    op: name,
  });
}

/** A seed as a key, with the counter at its start. The default generator's keys are none that a seed of a call can have. */
function keyOf(seed: number, isGenerator: boolean): Int32Array {
  const high = Math.floor(seed / 2 ** 32);
  return Int32Array.of(seed, isGenerator ? high | 0x80000000 : high, 0, 0);
}
