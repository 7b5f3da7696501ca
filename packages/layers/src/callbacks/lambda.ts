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
    complete("LambdaCallback", hooks, allHooks);
    const given = Object.entries(hooks).filter(([, f]) => f !== undefined);
    for (const [name, f] of given) Object.defineProperty(this, name, { value: f, configurable: true });
  }
}

/**
 * A callback, or a plain object of its hooks.
 * @public
 */
export type CallbackLike = Callback | LambdaHooks;

/** Callbacks as `fit` takes them. Throws E_ARGUMENT where one is neither a callback nor a plain object of hooks. */
export function callbacksOf(given: CallbackLike | readonly CallbackLike[]): Callback[] {
  return ([given].flat() as CallbackLike[]).map((one: unknown) => {
    // Not by `instanceof`: a callback may be of another copy of this package.
    const isWhole = typeof one === "object" && one !== null && Object.keys(allHooks).every((hook) => hook in one);
    // boundary: it has every hook; or its keys are checked
    return isWhole ? (one as Callback) : new LambdaCallback(one as LambdaHooks);
  });
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
