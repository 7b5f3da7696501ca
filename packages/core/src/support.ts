/**
 * How the packages of this repository read options, draw seeds and hear signals: one way for all of them. Not covered by
 * semver's promises to users.
 * @packageDocumentation
 */
export { mulHigh, philox } from "./ops/random/philox.js";
export { drawSeed } from "./ops/random/state.js";
export { download, pathOfFileUrl, readAddress } from "./runtime/download.js";
export { markLayer } from "./runtime/named-function.js";
export { defaultSignature } from "./runtime/signature.js";
export {
  formatNames,
  formatOfFile,
  isTrainable,
  type ModelFormat,
  mainFileOf,
  type TrainableFormat,
} from "./saved/format-of.js";
export {
  canonicalName,
  checkOptions,
  type Defaults,
  didYouMean,
  nearestName,
  required,
  type WithDefaults,
  withDefaults,
} from "./types/options.js";
export { throwIfAborted, untilAborted } from "./types/signal.js";
export { atOneSite, inScope } from "./types/site.js";
