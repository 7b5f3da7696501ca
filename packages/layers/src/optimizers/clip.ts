// Bounds on gradients, applied before a step.
import * as tf from "@millrace/autodiff";
import { MillraceError, type Tensor } from "@millrace/autodiff";

/** Which bound, if any; at most one may be set. */
export interface ClipConfig {
  /** The greatest norm of each gradient. */
  readonly clipnorm?: number | null;
  /** The greatest absolute value of an element. */
  readonly clipvalue?: number | null;
  /** The greatest norm of all gradients together. */
  readonly globalClipnorm?: number | null;
}

/** Throws E_ARGUMENT where more than one bound is set, or one is not over 0. */
export function checkClip(who: string, config: ClipConfig): void {
  const set = (["clipnorm", "clipvalue", "globalClipnorm"] as const).filter((key) => (config[key] ?? null) !== null);
  if (set.length > 1) throw new MillraceError("E_ARGUMENT", `${who}: only one of ${set.join(" and ")} can be set`);
  for (const key of set) {
    if (config[key]! > 0) continue;
    throw new MillraceError("E_ARGUMENT", `${who}: ${key} must be over 0, got ${config[key]}`);
  }
}

/** The gradients within the bound. */
export function clipGradients(grads: readonly Tensor[], config: ClipConfig): readonly Tensor[] {
  const { clipnorm = null, clipvalue = null, globalClipnorm = null } = config;
  if (clipvalue !== null) return grads.map((g) => tf.clipByValue(g, -clipvalue, clipvalue));
  if (clipnorm !== null) return grads.map((g) => within(g, tf.sqrt(tf.sum(tf.square(g))), clipnorm));
  if (globalClipnorm === null) return grads;
  const squares: Tensor[] = grads.map((g) => tf.sum(tf.square(g)));
  const norm: Tensor = tf.sqrt(squares.reduce((a, b) => tf.add(a, b)));
  return grads.map((g) => within(g, norm, globalClipnorm));
}

/** `g` times limit / norm, where the norm is over the limit. */
function within(g: Tensor, norm: Tensor, limit: number): Tensor {
  return tf.div(tf.mul(g, limit), tf.maximum(norm, limit));
}
