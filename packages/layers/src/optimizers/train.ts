// tf.train: the optimizers as tfjs spells them.
import { Adam } from "./adam.js";
import { RMSprop } from "./rmsprop.js";
import { SGD } from "./sgd.js";

/**
 * `tf.optimizers.sgd({ learningRate })`
 * @public
 */
export const sgd = (learningRate: number): SGD => new SGD({ learningRate });

/**
 * `tf.optimizers.sgd({ learningRate, momentum, nesterov })`
 * @public
 */
export const momentum = (learningRate: number, amount: number, useNesterov = false): SGD =>
  new SGD({ learningRate, momentum: amount, nesterov: useNesterov });

/**
 * `tf.optimizers.adam({ learningRate, beta1, beta2, epsilon })`
 * @public
 */
export const adam = (learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7): Adam =>
  new Adam({ learningRate, beta1, beta2, epsilon });

/**
 * `tf.optimizers.rmsprop({ learningRate, rho, momentum, epsilon, centered })`
 * @public
 */
export const rmsprop = (learningRate: number, decay = 0.9, amount = 0, epsilon = 1e-7, centered = false): RMSprop =>
  new RMSprop({ learningRate, rho: decay, momentum: amount, epsilon, centered });
