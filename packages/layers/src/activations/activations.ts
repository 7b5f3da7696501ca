// Activation functions by name.

import type { Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { Registry } from "../util/identifiers.js";

/**
 * A function that is applied to a layer's result, element by element or, as softmax, along its last axis.
 * @public
 */
export interface Activation {
  (x: Tensor): Tensor;
  /** The name that files write; none for a function of one's own. */
  readonly activationName?: string;
}

/**
 * An activation: its name in any spelling ("relu", "log_softmax", "leakyRelu"), or a function.
 * @public
 */
export type ActivationIdentifier = string | Activation;

const registry: Registry<Activation> = new Registry("activation");

function named(name: string, f: (x: Tensor) => Tensor, aliases: readonly string[] = []): Activation {
  const activation: Activation = Object.assign((x: Tensor) => f(x), { activationName: name });
  registry.register(name, () => activation, aliases);
  return activation;
}

/**
 * x
 * @public
 */
export const linear: Activation = named("linear", (x) => x, ["identity"]);
/**
 * max(x, 0)
 * @public
 */
export const relu: Activation = named("relu", (x) => tf.relu(x));
/**
 * min(max(x, 0), 6)
 * @public
 */
export const relu6: Activation = named("relu6", (x) => tf.relu6(x));
/**
 * x, or 0.2 x where x is negative
 * @public
 */
export const leakyRelu: Activation = named("leaky_relu", (x) => tf.leakyRelu(x, 0.2));
/**
 * x, or exp(x) - 1 where x is negative
 * @public
 */
export const elu: Activation = named("elu", (x) => tf.elu(x));
/**
 * elu scaled so that it keeps mean 0 and variance 1
 * @public
 */
export const selu: Activation = named("selu", (x) => tf.selu(x));
/**
 * 1 / (1 + exp(-x))
 * @public
 */
export const sigmoid: Activation = named("sigmoid", (x) => tf.sigmoid(x));
/**
 * log(sigmoid(x))
 * @public
 */
export const logSigmoid: Activation = named("log_sigmoid", (x) => tf.logSigmoid(x));
/**
 * min(max(x / 6 + 0.5, 0), 1)
 * @public
 */
export const hardSigmoid: Activation = named("hard_sigmoid", (x) => tf.div(tf.relu6(tf.add(x, 3)), 6));
/**
 * x sigmoid(x)
 * @public
 */
export const silu: Activation = named("silu", (x) => tf.silu(x), ["swish"]);
/**
 * x hardSigmoid(x)
 * @public
 */
export const hardSilu: Activation = named("hard_silu", (x) => tf.mul(x, hardSigmoid(x)), ["hard_swish"]);
/**
 * x Φ(x), Φ being the normal distribution function
 * @public
 */
export const gelu: Activation = named("gelu", (x) => tf.gelu(x));
/**
 * tanh(x)
 * @public
 */
export const tanh: Activation = named("tanh", (x) => tf.tanh(x));
/**
 * log(1 + exp(x))
 * @public
 */
export const softplus: Activation = named("softplus", (x) => tf.softplus(x));
/**
 * x / (1 + |x|)
 * @public
 */
export const softsign: Activation = named("softsign", (x) => tf.div(x, tf.add(tf.abs(x), 1)));
/**
 * x tanh(softplus(x))
 * @public
 */
export const mish: Activation = named("mish", (x) => tf.mul(x, tf.tanh(tf.softplus(x))));
/**
 * exp(x)
 * @public
 */
export const exponential: Activation = named("exponential", (x) => tf.exp(x));
/**
 * exp(x) / Σ exp(x), along the last axis
 * @public
 */
export const softmax: Activation = named("softmax", (x) => tf.softmax(x));
/**
 * log(softmax(x)), along the last axis
 * @public
 */
export const logSoftmax: Activation = named("log_softmax", (x) => tf.logSoftmax(x));

/**
 * The activation that an identifier stands for; null is linear. Throws E_ARGUMENT for an unknown name.
 * @public
 */
export function getActivation(identifier: ActivationIdentifier | null): Activation {
  return identifier === null ? linear : registry.get(identifier);
}
