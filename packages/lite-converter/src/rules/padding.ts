// Padding of windows: TFLite knows "same" and "valid"; anything else is padded before.
import type { DType } from "@millrace/core";
import { addDim, ceilDivDim, type Dim, dimKey, floorDivDim, maxDim, mulDim, subDim } from "@millrace/core/graph";
import type { Reshaped } from "../lower/matcher.js";
import { constant, type Operand, step, temporary } from "../lower/steps.js";

/** Windows over height and width. */
export interface Windows {
  readonly sizes: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
}

/** How "same" pads an axis: so that there are ceil(size / stride) windows, the odd element behind. */
function samePadding(size: Dim, window: number, stride: number, dilation: number): readonly [Dim, Dim] {
  const reach = (window - 1) * dilation + 1;
  const overhang = addDim(subDim(mulDim(subDim(ceilDivDim(size, stride), 1), stride), size), reach);
  const total = maxDim(overhang, 0);
  const low = floorDivDim(total, 2);
  return [low, subDim(total, low)];
}

/** The mode that pads as `windows` says; "explicit" where neither does. */
export function paddingMode(image: readonly Dim[], windows: Windows): "SAME" | "VALID" | "explicit" {
  const { low, high } = windows;
  if ([...low, ...high].every((n) => n === 0)) return "VALID";
  const isSame = [0, 1].every((axis) => {
    const [before, after] = samePadding(
      image[axis + 1]!,
      windows.sizes[axis]!,
      windows.strides[axis]!,
      windows.dilations[axis]!,
    );
    return dimKey(before) === dimKey(low[axis]!) && dimKey(after) === dimKey(high[axis]!);
  });
  return isSame ? "SAME" : "explicit";
}

/** An operand that is padded as an operator wants it. */
export interface Padded extends Reshaped {
  readonly mode: "SAME" | "VALID";
}

/** The mode for an operator over an image [n, h, w, c], and the padded operand where it has to be padded before. */
export function paddingFor(
  operand: Operand,
  dtype: DType,
  image: readonly Dim[],
  windows: Windows,
  fill = 0,
): Padded | string {
  const mode = paddingMode(image, windows);
  return mode === "explicit" ? padded(operand, dtype, image, windows, fill) : { mode, steps: [], operand };
}

/** The image with its padding around it. */
export function padded(
  operand: Operand,
  dtype: DType,
  image: readonly Dim[],
  { low, high }: Windows,
  fill = 0,
): Padded | string {
  const amounts = [0, 0, low[0]!, high[0]!, low[1]!, high[1]!, 0, 0];
  if (!amounts.every((n): n is number => typeof n === "number")) return "its padding is not known before it runs";
  if (amounts.some((n) => n < 0)) return "its padding is negative";
  const shape = image.map((size, axis) => addDim(size, amounts[2 * axis]! + amounts[2 * axis + 1]!));
  const result = temporary(dtype, shape);
  const paddings = constant({ dtype: "int32", shape: [4, 2], data: Int32Array.from(amounts) }, "paddings");
  if (fill === 0) {
    return { mode: "VALID", steps: [step("PAD", [operand, paddings], result, "PadOptions", {})], operand: result };
  }
  const value = constant({ dtype, shape: [1], data: Float32Array.of(fill) }, "fill");
  const made = step("PADV2", [operand, paddings, value], result, "PadV2Options", {});
  return { mode: "VALID", steps: [made], operand: result };
}
