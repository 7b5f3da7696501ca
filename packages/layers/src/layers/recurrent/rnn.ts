import * as tf from "@millrace/autodiff";
import { type DType, MillraceError, type Tensor, type Variable, variable } from "@millrace/autodiff";
import { type CallOptions, isList, Layer, type LayerConfig, layerOptions, type Tensors } from "../../topology/layer.js";
import type { AnyRule, LayerRule } from "../../types.js";
import type { Serialized } from "../../util/identifiers.js";
import { type Complete, type Defaults, required } from "../../util/options.js";
import { serialize } from "../../util/serialize.js";
import type { BatchShape, BatchShapes } from "../../util/shapes.js";
import { firstShape, type RNNCell } from "./cell.js";
import { cellOf, StackedRNNCells } from "./stacked-rnn-cells.js";

/**
 * What every recurrent layer takes.
 * @public
 */
export interface RecurrentConfig<Sequences extends boolean = boolean, State extends boolean = boolean>
  extends LayerConfig {
  /** Whether the outputs of all steps are given, not the last alone. */
  readonly returnSequences?: Sequences;
  /** Whether the states after the last step are given too: the result is [output, ...states]. */
  readonly returnState?: State;
  /** Whether the sequence is read from its end. */
  readonly goBackwards?: boolean;
  /** Whether a batch starts from the states that the one before it ended with, row by row; see `resetStates`. */
  readonly stateful?: boolean;
  /** Whether steps are written out one after another, where they are no kernel of their own; their number must be known. */
  readonly unroll?: boolean;
  /** Whether steps that a mask leaves out give zeros, not what the step before gave. */
  readonly zeroOutputForMask?: boolean;
}

export const recurrentDefaults: Defaults<Omit<RecurrentConfig, keyof LayerConfig>> = {
  returnSequences: false,
  returnState: false,
  goBackwards: false,
  stateful: false,
  unroll: false,
  zeroOutputForMask: false,
};

/** What a recurrence found: the outputs of all steps in the order in which they were computed, and the last one. */
export interface Recurred {
  readonly sequence: Tensor | null;
  readonly output: Tensor;
  readonly states: readonly Tensor[];
}

/** A layer that takes a cell through a sequence. */
// boundary: a bare layer has any rule
export abstract class Recurrent<R extends LayerRule = any> extends Layer<R> {
  abstract readonly cell: RNNCell;
  protected readonly recurrence: Complete<RecurrentConfig>;
  private kept: readonly Variable[] | null = null;

  constructor(config: Complete<RecurrentConfig>) {
    super(config);
    this.recurrence = config;
  }

  override build(inputShape: BatchShapes): void {
    const [batch, , ...features] = firstShape(inputShape);
    this.cell.buildFor([batch ?? null, ...features]);
    this.inputSpec = null;
  }

  get returnSequences(): boolean {
    return this.recurrence.returnSequences;
  }
  get goBackwards(): boolean {
    return this.recurrence.goBackwards;
  }

  /** Forgets the states that `stateful` keeps. */
  resetStates(): void {
    for (const state of this.kept ?? []) state.assign(tf.zerosLike(state));
  }

  override call(inputs: Tensors, options: CallOptions): Tensors {
    const [x, ...given] = isList(inputs) ? inputs : [inputs];
    if (x!.rank < 3) throw new MillraceError("E_SHAPE", `${this.className}: needs [batch, time, features]`);
    const count = this.cell.stateSizes.length;
    if (given.length > 0 && given.length !== count) {
      throw new MillraceError("E_ARGUMENT", `${this.className}: needs ${count} states, got ${given.length}`);
    }
    const { returnSequences, returnState, stateful } = this.recurrence;
    const start = given.length > 0 ? given : stateful ? this.keptFor(x!) : null;
    const { sequence, output, states } = this.recur(x!, start, options);
    this.kept?.forEach((state, i) => {
      state.assign(states[i]!);
    });
    const result = returnSequences ? this.zeroed(sequence!, options.mask ?? null) : output;
    return returnState ? [result, ...states] : result;
  }

  private zeroed(sequence: Tensor, mask: Tensor | null): Tensor {
    const { goBackwards, zeroOutputForMask } = this.recurrence;
    if (!mask || !zeroOutputForMask) return sequence;
    const counts: Tensor = goBackwards ? tf.reverse(mask, 1) : mask;
    return tf.where(tf.expandDims(counts, -1) as Tensor, sequence, tf.zerosLike(sequence) as Tensor);
  }

  /** The states of a stateful layer, made at its first batch, whose size the next ones have too. */
  private keptFor(x: Tensor): readonly Tensor[] {
    const batch: unknown = x.shape[0];
    if (!this.kept && typeof batch === "number") {
      this.kept = this.cell.stateSizes.map((size) =>
        variable(tf.zeros([batch, size], this.dtype), { trainable: false }),
      );
    }
    if (this.kept?.every((state) => (state.shape as readonly unknown[])[0] === batch)) return this.kept;
    const what = "a stateful layer needs batches of one size, known when it is first called";
    throw new MillraceError("E_SHAPE", `${this.className}: ${what}`);
  }

  /** All steps, by the cell. A class with a kernel for them overrides this. */
  protected recur(given: Tensor, start: readonly Tensor[] | null, options: CallOptions): Recurred {
    const { returnSequences, goBackwards, unroll } = this.recurrence;
    const ordered = (t: Tensor): Tensor => (goBackwards ? (tf.reverse(t, 1) as Tensor) : t);
    const { mask = null, training } = options;
    const all: Row = mask ? { x: ordered(given), mask: ordered(mask) } : { x: ordered(given) };
    const [batch, steps] = given.shape as readonly number[];
    const states = start ?? this.cell.initialStates(batch!);
    const first: Carry = { output: tf.zeros([batch!, this.cell.outputSize], this.dtype) as Tensor, states };
    const step = (carry: Carry, row: Row): Carry => {
      const made = this.cell.step(row.x, carry.states, training === undefined ? {} : { training });
      if (!row.mask) return { ...made };
      const counts: Tensor = tf.expandDims(row.mask, -1);
      const kept = (now: Tensor, before: Tensor): Tensor => tf.where(counts, now, before);
      return {
        output: kept(made.output, carry.output),
        states: made.states.map((state, i) => kept(state, carry.states[i]!)),
      };
    };
    if (unroll) return unrolled(this.className, all, first, step, returnSequences);
    const rows: Row = all.mask ? { x: timeFirst(all.x), mask: timeFirst(all.mask) } : { x: timeFirst(all.x) };
    if (!returnSequences) return { sequence: null, ...tf.foldl(step, rows, first) };
    if ((steps as unknown) === 0) return { sequence: timeFirst(tf.expandDims(first.output, 1) as Tensor), ...first };
    const each = tf.scan(step, rows, first);
    const last = (t: Tensor): Tensor => tf.gather(tf.reverse(t, 0) as Tensor, 0);
    return { sequence: timeFirst(each.output), output: last(each.output), states: each.states.map(last) };
  }

  override computeMask(_inputs: Tensors, mask: Tensor | null): Tensor | null {
    return this.recurrence.returnSequences ? mask : null;
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShapes {
    const [n = null, time = null] = firstShape(inputShape);
    const { returnSequences, returnState } = this.recurrence;
    const size = this.cell.outputSize;
    const output: BatchShape = returnSequences ? [n, time, size] : [n, size];
    return returnState ? [output, ...this.cell.stateSizes.map((own): BatchShape => [n, own])] : output;
  }

  override computeOutputDType(): DType {
    return this.dtype;
  }
}

/** The parts of a step: what comes in, and whether it counts. */
interface Row {
  readonly x: Tensor;
  readonly mask?: Tensor;
  readonly [name: string]: Tensor;
}
/** What goes from step to step. */
interface Carry {
  readonly output: Tensor;
  readonly states: readonly Tensor[];
  readonly [name: string]: Tensor | readonly Tensor[];
}

/** [batch, time, …] ↔ [time, batch, …] */
function timeFirst(x: Tensor): Tensor {
  const axes = Array.from({ length: x.rank }, (_, i) => i);
  return tf.transpose(x, [1, 0, ...axes.slice(2)]) as Tensor;
}

/** Steps of [batch, time, …] one by one. */
function unrolled(
  who: string,
  { x: all, mask }: Row,
  first: Carry,
  step: (carry: Carry, row: Row) => Carry,
  keep: boolean,
): Recurred {
  if (typeof (all.shape[1] as unknown) !== "number") {
    throw new MillraceError("E_SHAPE", `${who}: the number of steps must be known to unroll them`);
  }
  const [xs, counts] = [all, mask].map((t) => (t ? (tf.unstack(t, 1) as readonly Tensor[]) : []));
  let carry = first;
  const outputs = xs!.map((x, i) => {
    carry = step(carry, counts!.length > 0 ? { x, mask: counts![i]! } : { x });
    return carry.output;
  });
  return { sequence: keep ? (tf.stack(outputs, 1) as Tensor) : null, output: carry.output, states: carry.states };
}

/**
 * Options of `rnn`.
 * @public
 */
export interface RNNConfig extends RecurrentConfig {
  /** The step; of a list each cell reads the output of the one before. */
  readonly cell: RNNCell | Serialized | readonly RNNCell[];
}

const defaults: Defaults<Omit<RNNConfig, keyof LayerConfig>> = { cell: required, ...recurrentDefaults };

/**
 * Any cell taken through a sequence: [batch, time, features] gives the last output [batch, size], or with `returnSequences`
 * [batch, time, size]. Given a list [x, ...states] it starts from these states.
 * @example tf.layers.rnn({ cell: tf.layers.gruCell({ units: 4 }), returnSequences: true })
 * @public
 */
export class RNN extends Recurrent<AnyRule> {
  static override readonly className: string = "RNN";
  readonly cell: RNNCell;

  constructor(config: RNNConfig) {
    const { cell, ...all } = layerOptions<RNNConfig>("RNN", config, defaults);
    super(all as Complete<RecurrentConfig>);
    this.cell = Array.isArray(cell) ? new StackedRNNCells({ cells: cell }) : cellOf("RNN", cell);
  }

  override getConfig(): Record<string, unknown> {
    const { returnSequences, returnState, goBackwards, stateful, unroll, zeroOutputForMask } = this.recurrence;
    const own = { returnSequences, returnState, goBackwards, stateful, unroll, zeroOutputForMask };
    return { cell: serialize(this.cell), ...own, ...super.getConfig() };
  }
}
