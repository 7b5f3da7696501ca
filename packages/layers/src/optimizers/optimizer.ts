import * as tf from "@millrace/autodiff";
import {
  GradientTape,
  isIndexedSlices,
  MillraceError,
  type Tensor,
  type Variable,
  variablesOf,
} from "@millrace/autodiff";
import { atOneSite } from "@millrace/autodiff/support";
import { uniqueName } from "../util/names.js";
import { type Complete, complete, type Defaults } from "../util/options.js";
import { type ClipConfig, checkClip, clipGradients } from "./clip.js";
import { updateRows } from "./rows.js";
import type { OptimizerRule } from "./rule.js";

/**
 * What every optimizer takes.
 * @public
 */
export interface OptimizerConfig extends ClipConfig {
  readonly learningRate?: number;
  /** What part of each parameter is taken away in a step, times the learning rate; none unless said. */
  readonly weightDecay?: number | null;
  readonly name?: string;
}

/** A step of these variables, called with their gradients. */
interface StepFunction {
  readonly variables: readonly Variable[];
  /** Whose gradients are rows: two arguments each, the rows and where they are. */
  readonly isSparse: readonly boolean[];
  readonly step: (...grads: Tensor[]) => void;
}

/** Lists of variables that an optimizer keeps a program for: two networks may share one and take turns. */
const maxSteps = 8;

const baseDefaults = { weightDecay: null, clipnorm: null, clipvalue: null, globalClipnorm: null };

/** The options of an optimizer with those that every optimizer takes. */
export function optimizerOptions<C extends OptimizerConfig>(
  className: string,
  config: C,
  defaults: Defaults<Omit<C, Exclude<keyof OptimizerConfig, "learningRate">>> & {
    readonly weightDecay?: number | null;
  },
): Complete<C> {
  const base = { ...baseDefaults, name: className };
  // boundary: the defaults of a class and those of every optimizer are all of its keys
  return complete(className, config, { ...base, ...defaults } as Defaults<C>);
}

/**
 * Gradients with their variables, or by the variables' names. A null is refused with the variable's name.
 * @public
 */
export type GradientList =
  | readonly (readonly [gradient: Tensor | null, variable: Variable])[]
  | Readonly<Record<string, Tensor | null>>;

/**
 * Changes variables by their gradients. The arithmetic is a pure rule; this class holds its state in variables, so that a
 * step can be part of a tf.function: call `build` before the function is traced.
 * @public
 */
export abstract class Optimizer {
  static readonly className: string;
  readonly name: string;
  private readonly config: Complete<OptimizerConfig>;
  private readonly rule: OptimizerRule;
  private counters: { readonly iterations: Variable; readonly learningRate: Variable } | null = null;
  private readonly slots = new Map<Variable, ReadonlyMap<string, Variable>>();
  /** The group of each slot in files. */
  private readonly groups = new Map<Variable, number>();
  private readonly excluded = new Set<Variable>();
  /** Those that were made last. */
  private steps: readonly StepFunction[] = [];

  constructor(config: OptimizerConfig, rule: OptimizerRule) {
    // A class of one's own gives what it likes; the built-in ones give everything.
    const all: Complete<OptimizerConfig> = { ...baseDefaults, learningRate: 0.001, name: "optimizer", ...config };
    if (!Number.isFinite(all.learningRate)) {
      const got = String(all.learningRate);
      throw new MillraceError("E_ARGUMENT", `${all.name}: learningRate must be a number, got ${got}`);
    }
    checkClip(all.name, all);
    this.name = all.name;
    this.config = all;
    this.rule = rule;
  }

  private get state(): { readonly iterations: Variable; readonly learningRate: Variable } {
    this.counters ??= {
      iterations: owned(0, "int32", `${this.name}/iteration`),
      learningRate: owned(this.config.learningRate, "float32", `${this.name}/learning_rate`),
    };
    return this.counters;
  }

  /** How many steps were made: an int32 scalar. */
  get iterations(): Variable {
    return this.state.iterations;
  }

  /** A float32 scalar, to which a number or scalar may be assigned: that changes the next step and retraces nothing. */
  get learningRate(): Variable {
    return this.state.learningRate;
  }
  set learningRate(value: number | Tensor) {
    this.state.learningRate.assign(value);
  }

  /** All state in the order of files: iterations, learning rate, then what is remembered of each variable. */
  get variables(): Variable[] {
    const all = [...this.slots.values()].flatMap((slots) => [...slots.values()]);
    const group = (slot: Variable): number => this.groups.get(slot) ?? 0;
    return [this.iterations, this.learningRate, ...all.sort((a, b) => group(a) - group(b))];
  }

  /** The state that there is so far; asking makes none. */
  get stateVariables(): Variable[] {
    return this.counters ? this.variables : [];
  }

  /** Makes the state for these variables, where they are; those that it has stay. */
  build(variables: readonly Variable[]): void {
    const missing = variables.filter((variable) => !this.slots.has(variable));
    const [first] = missing;
    if (first === undefined) return void this.state;
    tf.device(first.device, () => {
      void this.state;
      for (const variable of missing) this.slots.set(variable, this.slotsOf(variable));
    });
  }

  private slotsOf(variable: Variable): ReadonlyMap<string, Variable> {
    const specs = Object.entries(this.rule.slots({ dtype: variable.dtype, shape: variable.shape }));
    const made = specs.map(([slot, { shape, dtype, value, group = 0 }]) => {
      const name = uniqueName(`${this.name}/${variable.name}/${slot}`);
      const state: Variable = tf.tidy(() =>
        tf.variable(tf.fill(shape, value, dtype) as Tensor, { name, trainable: false }),
      );
      this.groups.set(state, group);
      return [slot, state] as const;
    });
    return new Map(made);
  }

  /** Keeps weight decay from these variables, such as biases and the weights of normalisations. */
  excludeFromWeightDecay(variables: readonly Variable[]): void {
    for (const variable of variables) this.excluded.add(variable);
    this.steps = [];
  }

  /**
   * Makes one step.
   * @throws E_GRADIENT where a gradient is null, E_SHAPE where one has not its variable's shape
   */
  applyGradients(gradients: GradientList): void {
    const pairs = this.pairsOf(gradients);
    const variables = pairs.map(([, variable]) => variable);
    this.build(variables);
    const isSparse = pairs.map(([g]) => isIndexedSlices(g));
    const grads = pairs.flatMap(([g]) => (isIndexedSlices(g) ? [g.values, g.indices] : [g]));
    atOneSite(() => this.stepFor(variables, isSparse)(...grads));
  }

  /** A step of these variables as one program, which reads and writes each of them once, also in eager code. */
  private stepFor(variables: readonly Variable[], isSparse: readonly boolean[]): StepFunction["step"] {
    const isOf = (it: StepFunction): boolean =>
      it.variables.length === variables.length &&
      it.variables.every((v, i) => v === variables[i] && it.isSparse[i] === isSparse[i]);
    const known = this.steps.find(isOf);
    if (known) return known.step;
    const step = tf.fn((...given: Tensor[]) => this.step(variables, gradientsOf(variables, isSparse, given)), {
      name: this.name,
    });
    this.steps = [{ variables, isSparse, step }, ...this.steps.slice(0, maxSteps - 1)];
    return step;
  }

  private step(variables: readonly Variable[], grads: readonly Tensor[]): void {
    tf.tidy(() => {
      const { iterations, learningRate } = this.state;
      const clipped = clipGradients(grads, this.config);
      const count = tf.add(iterations, 1);
      // Everything is computed before the first variable is written: a failing step changes nothing.
      const updates = variables.map((variable, i) => {
        const step = { learningRate: tf.cast(learningRate, variable.dtype), count: tf.cast(count, variable.dtype) };
        const gradient = clipped[i]!;
        const slots = Object.fromEntries(this.slots.get(variable)!);
        const decayed = this.decayOf(variable, step.learningRate);
        if (isIndexedSlices(gradient)) return updateRows(this.rule, variable, gradient, slots, step, decayed);
        return this.rule.update(decayed?.(variable) ?? variable, gradient, slots, step);
      });
      variables.forEach((variable, i) => {
        variable.assign(updates[i]!.param);
        for (const [slot, state] of this.slots.get(variable)!) state.assign(updates[i]!.slots[slot]!);
      });
      iterations.assign(count);
    });
  }

  /** What takes weight decay off a variable, or rows of it. */
  private decayOf(variable: Variable, learningRate: Tensor): ((x: Tensor) => Tensor) | null {
    const { weightDecay } = this.config;
    if (weightDecay === null || this.excluded.has(variable)) return null;
    return (x) => tf.sub(x, tf.mul(tf.mul(x, weightDecay), learningRate));
  }

  private pairsOf(gradients: GradientList): (readonly [Tensor, Variable])[] {
    const pairs = isPairs(gradients)
      ? gradients.map((pair) => this.checkPair(pair))
      : Object.entries(gradients).map(([name, g]) => [g, this.variableNamed(name, gradients)] as const);
    return pairs.map(([g, variable]) => {
      if (g === null || g === undefined) {
        throw new MillraceError(
          "E_GRADIENT",
          `${this.name}: the loss does not depend on the variable "${variable.name}"`,
        );
      }
      const fits =
        g.shape.length === variable.rank && g.shape.every((size: number, i: number) => size === variable.shape[i]);
      if (!fits) {
        const message = `${this.name}: "${variable.name}" has shape [${variable.shape}], its gradient [${g.shape}]`;
        throw new MillraceError("E_SHAPE", message);
      }
      return [g, variable];
    });
  }

  private checkPair(pair: unknown): readonly [Tensor | null, Variable] {
    // boundary: nothing else can be assigned
    if (Array.isArray(pair) && typeof pair[1]?.assign === "function") return pair as [Tensor | null, Variable];
    const message = `${this.name}: applyGradients takes [gradient, variable] pairs, or a record of gradients by variable name`;
    throw new MillraceError("E_ARGUMENT", message);
  }

  /** The variable of a gradient that was given by name: one that this optimizer has, or that the gradients are of. */
  private variableNamed(name: string, gradients: object): Variable {
    const found = [...this.slots.keys()].find((v) => v.name === name) ?? variablesOf(gradients)?.get(name);
    if (found) return found;
    const message = `${this.name}: no variable "${name}" is known; call build with the variables, or pass [gradient, variable] pairs`;
    throw new MillraceError("E_VARIABLE", message);
  }

  /**
   * One step that makes the scalar `f()` less. Returns its value before the step, which is the caller's.
   * @param variables the trainable ones that `f` reads unless said
   */
  minimize(f: () => Tensor, variables?: readonly Variable[]): Tensor {
    if (variables !== undefined && !Array.isArray(variables))
      throw new MillraceError("E_ARGUMENT", `minimize: variables are a list, got ${typeof variables}`);
    return tf.tidy(() => {
      const tape = new GradientTape(variables ? { watchAccessedVariables: false } : {});
      if (variables) tape.watch(variables);
      const loss = tape.run(f);
      const wanted = variables ?? tape.watchedVariables();
      if (wanted.length === 0)
        throw new MillraceError("E_VARIABLE", "minimize: the function reads no trainable variable");
      const found: readonly (Tensor | null)[] = tape.gradient(loss, wanted);
      const pairs = wanted.map((variable, i) => [found[i] ?? null, variable] as const);
      this.applyGradients(variables ? pairs : pairs.filter(([g]) => g !== null));
      return loss;
    });
  }

  /** What the constructor takes to make this optimizer again, without its state. */
  getConfig(): Record<string, unknown> {
    return { ...this.config };
  }

  /** Gives the memory of the state back. */
  dispose(): void {
    const all = this.counters ? this.variables : [...this.slots.values()].flatMap((slots) => [...slots.values()]);
    for (const variable of all) variable.dispose();
    this.steps = [];
    this.counters = null;
    this.slots.clear();
    this.groups.clear();
  }
}

/** The arguments of a step as gradients again. */
function gradientsOf(
  variables: readonly Variable[],
  isSparse: readonly boolean[],
  given: readonly Tensor[],
): readonly Tensor[] {
  let next = 0;
  return variables.map(({ shape }, i) => {
    const first = given[next++]!;
    return isSparse[i] ? tf.indexedSlices(first, given[next++]!, shape) : first;
  });
}

function isPairs(gradients: GradientList): gradients is readonly (readonly [Tensor | null, Variable])[] {
  return Array.isArray(gradients);
}

/** A scalar variable. */
function owned(value: number, dtype: "int32" | "float32", name: string): Variable {
  const initial: Tensor = tf.scalar(value, dtype);
  const made: Variable = tf.variable(initial, { name: uniqueName(name), trainable: false });
  initial.dispose();
  return made;
}
