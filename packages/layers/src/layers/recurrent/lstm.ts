import * as tf from "@millrace/autodiff";
import { type FloatDType, MillraceError, type Shape, type Tensor, type Variable } from "@millrace/autodiff";
import {
  type Activation,
  type ActivationIdentifier,
  getActivation,
  sigmoid,
  tanh,
} from "../../activations/activations.js";
import { Initializer, type InitializerIdentifier } from "../../initializers/initializer.js";
import { getInitializer } from "../../initializers/registry.js";
import type { RegularizerIdentifier } from "../../regularizers/regularizers.js";
import { type CallOptions, Layer, type LayerConfig, layerOptions, one, type Tensors } from "../../topology/layer.js";
import type { RecurrentRule } from "../../types.js";
import { type Complete, checkWhole, type Defaults, required } from "../../util/options.js";
import { describeAll } from "../../util/serialize.js";
import { type BatchShape, type BatchShapes, knownSize, single } from "../../util/shapes.js";

/**
 * Options of `LSTM`.
 * @public
 */
export interface LSTMConfig<
  Units extends number = number,
  Sequences extends boolean = boolean,
  D extends FloatDType = FloatDType,
> extends LayerConfig {
  /** The size of the state. */
  readonly units: Units;
  readonly activation?: ActivationIdentifier | null;
  /** What the gates go through. */
  readonly recurrentActivation?: ActivationIdentifier | null;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerIdentifier;
  readonly recurrentInitializer?: InitializerIdentifier;
  readonly biasInitializer?: InitializerIdentifier;
  /** Whether the forget gate's bias starts at 1: Józefowicz and others (2015). */
  readonly unitForgetBias?: boolean;
  readonly kernelRegularizer?: RegularizerIdentifier | null;
  readonly recurrentRegularizer?: RegularizerIdentifier | null;
  readonly biasRegularizer?: RegularizerIdentifier | null;
  /** Whether the states of all steps are given, not the last alone. */
  readonly returnSequences?: Sequences;
  /** Whether the sequence is read from its end. */
  readonly goBackwards?: boolean;
  readonly dtype?: D | undefined;
}

const defaults: Defaults<Omit<LSTMConfig, keyof LayerConfig>> = {
  units: required,
  activation: "tanh",
  recurrentActivation: "sigmoid",
  useBias: true,
  kernelInitializer: "glorotUniform",
  recurrentInitializer: "orthogonal",
  biasInitializer: "zeros",
  unitForgetBias: true,
  kernelRegularizer: null,
  recurrentRegularizer: null,
  biasRegularizer: null,
  returnSequences: false,
  goBackwards: false,
};

/** A bias of four gates of which the second, the forget gate's, is 1. */
class ForgetBias extends Initializer {
  private readonly units: number;
  private readonly others: Initializer;
  constructor(units: number, others: Initializer) {
    super();
    this.units = units;
    this.others = others;
  }
  override apply(_shape: Shape, dtype: FloatDType = "float32"): Tensor {
    const { units } = this;
    return tf.tidy(() => {
      const parts = [this.others.apply([units], dtype), tf.ones([units], dtype), this.others.apply([2 * units], dtype)];
      return tf.concat(parts as readonly Tensor[]);
    });
  }
}

/**
 * Long short-term memory, Hochreiter and Schmidhuber (1997): [batch, time, features] gives the last state [batch, units],
 * or with `returnSequences` [batch, time, units]. With activations other than Keras's defaults, tanh and sigmoid, the number of
 * steps must be known when the layer is called.
 * @example tf.layers.lstm({ units: 32 })
 * @public
 */
export class LSTM<
  const Units extends number = number,
  const Sequences extends boolean = false,
  const D extends FloatDType = "float32",
> extends Layer<RecurrentRule<"lstm", Units, Sequences, D>> {
  static override readonly className: string = "LSTM";
  private readonly config: Complete<LSTMConfig>;
  private readonly activation: Activation;
  private readonly gate: Activation;
  private kernel: Variable | null = null;
  private recurrentKernel: Variable | null = null;
  private bias: Variable | null = null;

  constructor(config: LSTMConfig<Units, Sequences, D>) {
    const all = layerOptions<LSTMConfig>("LSTM", config, defaults);
    super(all);
    checkWhole("LSTM", "units", all.units);
    this.config = all;
    this.activation = getActivation(all.activation);
    this.gate = getActivation(all.recurrentActivation);
    this.inputSpec = { rank: 3 };
  }

  override build(inputShape: BatchShapes): void {
    const { units, useBias, unitForgetBias, ...config } = this.config;
    const features = knownSize("LSTM", single("LSTM", inputShape), -1);
    this.kernel = this.addWeight({
      name: "kernel",
      shape: [features, 4 * units],
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer,
    });
    this.recurrentKernel = this.addWeight({
      name: "recurrent_kernel",
      shape: [units, 4 * units],
      initializer: config.recurrentInitializer,
      regularizer: config.recurrentRegularizer,
    });
    if (useBias) {
      const given = getInitializer(config.biasInitializer);
      const initializer = unitForgetBias ? new ForgetBias(units, given) : given;
      this.bias = this.addWeight({
        name: "bias",
        shape: [4 * units],
        initializer,
        regularizer: config.biasRegularizer,
      });
    }
    this.inputSpec = { rank: 3, axes: { "-1": features } };
  }

  override call(inputs: Tensors, { mask }: CallOptions): Tensor {
    if (mask) throw new MillraceError("E_UNIMPLEMENTED", "LSTM: masks are not built yet", { layer: this.name });
    const x = one("LSTM", inputs);
    return this.activation === tanh && this.gate === sigmoid ? this.fused(x) : this.stepByStep(x);
  }

  private fused(x: Tensor): Tensor {
    const { returnSequences, goBackwards: reverse } = this.config;
    const options = this.bias ? { bias: this.bias, reverse } : { reverse };
    const { sequence, state } = tf.lstm(x, this.kernel!, this.recurrentKernel!, options);
    if (!returnSequences) return state[0];
    return reverse ? tf.reverse(sequence, 1) : sequence;
  }

  private stepByStep(x: Tensor): Tensor {
    const { units, returnSequences, goBackwards } = this.config;
    const steps: unknown = x.shape[1];
    if (typeof steps !== "number") {
      throw new MillraceError(
        "E_SHAPE",
        "LSTM: the number of steps must be known where activations are not tanh and sigmoid; pad sequences to one length",
        { layer: this.name },
      );
    }
    // What comes from the input is one product for all steps.
    const product: Tensor = tf.matMul(x, this.kernel!);
    const all: Tensor[] = tf.unstack(this.bias ? tf.add(product, this.bias) : product, 1);
    let state: Tensor | null = null;
    let memory: Tensor | null = null;
    const states: Tensor[] = [];
    for (const fromInput of goBackwards ? all.reverse() : all) {
      const sums: Tensor = state ? tf.add(fromInput, tf.matMul(state, this.recurrentKernel!)) : fromInput;
      const [i, f, c, o] = tf.split(sums, 4, -1) as readonly Tensor[];
      const added: Tensor = tf.mul(this.gate(i!), this.activation(c!));
      memory = memory ? tf.add(tf.mul(this.gate(f!), memory), added) : added;
      state = tf.mul(this.gate(o!), this.activation(memory));
      states.push(state);
    }
    if (returnSequences) return tf.stack(states, 1);
    return state ?? tf.zeros([x.shape[0]!, units], this.dtype);
  }

  override computeOutputShape(inputShape: BatchShapes): BatchShape {
    const [n = null, time = null] = single("LSTM", inputShape);
    const { units, returnSequences } = this.config;
    return returnSequences ? [n, time, units] : [n, units];
  }

  override computeOutputDType(): FloatDType {
    return this.dtype;
  }

  override getConfig(): Record<string, unknown> {
    return { ...describeAll(this.config), ...super.getConfig() };
  }
}
