import { complete } from "../util/options.js";
import { Callback } from "./callback.js";

/**
 * The hooks of a callback as plain functions.
 * @public
 */
export type LambdaHooks = { readonly [H in Exclude<keyof Callback, "model" | "params">]?: Callback[H] };

/**
 * A callback from functions.
 * @example tf.callbacks.lambda({ onEpochEnd: (epoch, logs) => console.log(epoch, logs.loss) })
 * @public
 */
export class LambdaCallback extends Callback {
  constructor(hooks: LambdaHooks) {
    super();
    const given = Object.entries(hooks).filter(([, f]) => f !== undefined);
    complete("LambdaCallback", hooks, allHooks);
    for (const [name, f] of given) Object.defineProperty(this, name, { value: f, configurable: true });
  }
}

const nothing = (): void => {};
const allHooks: { readonly [H in keyof LambdaHooks]-?: () => void } = {
  onTrainBegin: nothing,
  onTrainEnd: nothing,
  onEpochBegin: nothing,
  onEpochEnd: nothing,
  onTrainBatchBegin: nothing,
  onTrainBatchEnd: nothing,
  onTestBegin: nothing,
  onTestEnd: nothing,
  onTestBatchBegin: nothing,
  onTestBatchEnd: nothing,
};
