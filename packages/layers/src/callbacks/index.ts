// tf.callbacks: the classes by Keras's names, and functions by tfjs's.
import { EarlyStopping, type EarlyStoppingConfig } from "./early-stopping.js";
import { LambdaCallback, type LambdaHooks } from "./lambda.js";

export { Callback, type CallbackParams, type Logs, type ReadLogs } from "./callback.js";
export { History } from "./history.js";
export { ProgbarLogger, type Verbosity } from "./progress.js";
export { EarlyStopping, type EarlyStoppingConfig, LambdaCallback, type LambdaHooks };

export const earlyStopping = (config?: EarlyStoppingConfig): EarlyStopping => new EarlyStopping(config);
export const lambda = (hooks: LambdaHooks): LambdaCallback => new LambdaCallback(hooks);
