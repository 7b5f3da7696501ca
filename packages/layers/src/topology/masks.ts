// Which steps of a sequence count: a mask belongs to a tensor, and goes with it from layer to layer.
import { logicalAnd, type Tensor } from "@millrace/autodiff";

const masks = new WeakMap<Tensor, Tensor>();

/** The mask of a tensor: bool, of its leading axes; null where every step counts. */
export function maskOf(x: Tensor): Tensor | null {
  return masks.get(x) ?? null;
}

/** Gives a tensor a mask, where there is one. */
export function setMask(x: Tensor, mask: Tensor | null): void {
  if (mask) masks.set(x, mask);
}

/** What all of them let through. */
export function commonMask(all: readonly (Tensor | null)[]): Tensor | null {
  const given = new Set(all.filter((mask) => mask !== null));
  return [...given].reduce<Tensor | null>((both, mask) => (both ? logicalAnd(both, mask) : mask), null);
}
