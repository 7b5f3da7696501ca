// What flows from stage to stage, and who owns the tensors in it.

import type { Tensor } from "@millrace/core";
import * as tf from "@millrace/core";
import { Row, readRow, upload } from "./rows.js";
import { isTensor, isUserLeaf, join, type Structure, split } from "./structure.js";

/**
 * One element inside a pipeline. A leaf is a Row (a reference into a source's memory), a Tensor, which whoever holds
 * the element owns, or any other value, which nobody owns.
 */
export interface Element {
  readonly structure: Structure;
  readonly leaves: readonly unknown[];
}

/** The element with its rows as tensors. */
export function realize(element: Element): Element {
  if (!element.leaves.some((leaf) => leaf instanceof Row)) return element;
  const made: Tensor[] = [];
  try {
    const leaves = element.leaves.map((leaf) => {
      if (!(leaf instanceof Row)) return leaf;
      const tensor = upload(leaf);
      made.push(tensor);
      return tensor;
    });
    return { structure: element.structure, leaves };
  } catch (error) {
    tf.dispose(made);
    throw error;
  }
}

/** The element as users see it. Its rows must have been realized. */
export function valueOf(element: Element): unknown {
  return join(element.structure, element.leaves);
}

/** Frees what the element owns, except what another element has taken over. */
export function release(element: Element, heir?: Element): void {
  for (const leaf of element.leaves) if (isTensor(leaf) && !heir?.leaves.includes(leaf)) leaf.dispose();
}

export function releaseAll(elements: readonly Element[]): void {
  for (const element of elements) release(element);
}

/** The element with its tensors read into memory and freed: it can be kept, and handed out any number of times. */
export async function unload(element: Element): Promise<Element> {
  if (!element.leaves.some(isTensor)) return element;
  try {
    const leaves = await Promise.all(element.leaves.map((leaf) => (isTensor(leaf) ? readRow(leaf) : leaf)));
    return { structure: element.structure, leaves };
  } finally {
    release(element);
  }
}

/**
 * A value that a source keeps: its tensors are read, and stay their owner's. Await `ready` before the element is used.
 */
export function snapshot(value: unknown, ready: Promise<void>[]): Element {
  const leaves: unknown[] = [];
  const structure = split(value, leaves, isUserLeaf);
  for (const [i, leaf] of leaves.entries()) {
    if (!isTensor(leaf)) continue;
    ready.push(
      readRow(leaf).then((row) => {
        leaves[i] = row;
      }),
    );
  }
  return { structure, leaves };
}

/** Waits for all; a failure is told to whoever awaits, and to nobody else. */
export function whenAll(ready: readonly Promise<void>[]): Promise<unknown> {
  const all = Promise.all(ready);
  all.catch(() => {});
  return all;
}

/**
 * Takes over what functions and generators of the user give. A tensor made during the iteration becomes the pipeline's;
 * one that was there before, or a variable, stays its owner's and is copied.
 */
export class Intake {
  private readonly newest: number = newestTensor();

  /** @param given the tensors of this element are the pipeline's already */
  take(value: unknown, given?: Element): Element {
    const leaves: unknown[] = [];
    const structure = split(value, leaves, isUserLeaf);
    const owned = leaves.map((leaf) => (isTensor(leaf) && !given?.leaves.includes(leaf) ? this.own(leaf) : leaf));
    return { structure, leaves: owned };
  }

  private own(tensor: Tensor): Tensor {
    return tensor.id <= this.newest || "trainable" in tensor ? tensor.clone() : tensor;
  }
}

/** The id of a tensor made now: later ones have greater ids. */
function newestTensor(): number {
  try {
    const probe = tf.scalar(0);
    probe.dispose();
    return probe.id;
  } catch {
    return -1; // No backend runs, so there is no tensor yet.
  }
}
