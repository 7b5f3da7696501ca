// Functions for any sizes, typed once.
import { avalOf } from "../ir/apply.js";
import { formatShape } from "../ir/aval.js";
import { type Dim, dimKey, eqDim } from "../ir/dim.js";
import { isTensor } from "../ops/public.js";
import { MillraceError } from "../types/errors.js";
import type { PolyFunction, PolyParameters, ShapeSpecs } from "../types/poly.js";
import type { Tensor } from "../types/tensor.js";

/**
 * A function on float32 tensors of any sizes that fit `specs`, where a string names a size. The body is type-checked with
 * the named sizes, each call with the sizes of its arguments; at run time a call is checked too.
 * @throws E_SHAPE where an argument has another rank or size, or a name would have two sizes
 * @example
 *     const attend = tf.poly([["B", "T", 64], [64, 64]], (x, w) => tf.matMul(x, w));
 *     attend(tf.zeros([2, 7, 64]), tf.zeros([64, 64])); // Tensor<[2, 7, 64], "float32">
 */
export function poly<const Specs extends ShapeSpecs, Result extends Tensor>(
  specs: Specs,
  body: (...args: PolyParameters<Specs>) => Result,
): PolyFunction<Specs, Result>;
export function poly(specs: ShapeSpecs, body: (...args: Tensor[]) => Tensor): unknown {
  return (...args: readonly Tensor[]) => {
    if (args.length !== specs.length) {
      throw new MillraceError("E_ARGUMENT", `poly: needs ${specs.length} tensors, got ${args.length}`, { op: "poly" });
    }
    const sizes = new Map<string, Dim>();
    for (const [i, spec] of specs.entries()) {
      const x: unknown = args[i];
      if (!isTensor(x)) throw new MillraceError("E_ARGUMENT", `poly: argument ${i} is no tensor`, { op: "poly" });
      bindSizes(spec, avalOf(x).shape, sizes);
    }
    return body(...args);
  };
}

/** Checks a shape against its spec, and notes the sizes of names met first. */
function bindSizes(spec: readonly (number | string)[], shape: readonly Dim[], sizes: Map<string, Dim>): void {
  const refuse = (why: string) => {
    throw new MillraceError("E_SHAPE", `poly: ${why}`, { op: "poly" });
  };
  const mismatch = () => refuse(`needs shape [${spec.join(",")}], got ${formatShape(shape)}`);
  if (shape.length !== spec.length) mismatch();
  for (const [i, wanted] of spec.entries()) {
    const size = shape[i]!;
    if (typeof wanted === "number") {
      if (eqDim(wanted, size) === false) mismatch();
      continue;
    }
    const known = sizes.get(wanted);
    if (known === undefined) sizes.set(wanted, size);
    else if (eqDim(known, size) === false) refuse(`size ${wanted} is both ${dimKey(known)} and ${dimKey(size)}`);
  }
}
