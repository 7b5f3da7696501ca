// tf.callbacks: the classes by Keras's names, and functions by tfjs's.
import { EarlyStopping, type EarlyStoppingConfig } from "./early-stopping.js";
import { type CallbackLike, LambdaCallback, type LambdaHooks } from "./lambda.js";

export { Callback, type CallbackParams, type Logs, type ReadLogs } from "./callback.js";
export { History } from "./history.js";
export { ProgbarLogger, type Verbosity } from "./progress.js";
export { type CallbackLike, EarlyStopping, type EarlyStoppingConfig, LambdaCallback, type LambdaHooks };

/**
 * Makes an {@link EarlyStopping}.
 * @example tf.callbacks.earlyStopping({ patience: 3 })
 * @public
 */
export const earlyStopping = (config?: EarlyStoppingConfig): EarlyStopping => new EarlyStopping(config);
/**
 * Makes a {@link LambdaCallback}.
 * @example tf.callbacks.lambda({ onEpochEnd: (epoch, logs) => console.log(epoch, logs) })
 * @public
 */
export const lambda = (hooks: LambdaHooks): LambdaCallback => new LambdaCallback(hooks);
