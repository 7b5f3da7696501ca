// What conversion is proven on: functions, and how to call them.
import type * as tf from "millrace";

/** A model, and inputs of batches 1 and 5. */
export interface Case {
  readonly name: string;
  functions(): readonly tf.NamedFunction[];
  /** Sizes that are open beside the batch. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** The least and the greatest of the inputs; whole numbers for integers. */
  readonly range?: readonly [number, number];
}
