// Dynamic-range quantisation: weights are stored as int8 with a scale for each output, activations are made int8 while the
// model runs, and products are summed as integers.
import { countOf, type HostArray } from "@millrace/core/graph";
import type { LiteQuantization } from "../file/model.js";
import type { PlacedStep } from "../lower/select.js";
import { isConstant, type Operand, type QuantizedArray, type Step, step, temporary } from "../lower/steps.js";
import type { QuantizationNote } from "../report.js";

/** Weights of fewer elements stay float: they gain little, and lose as much. */
const fewestElements = 1024;

/** Symmetric without -128, so that a sign is never lost. */
const mostSteps = 127;

/** Steps with quantised weights, and why each step with weights has them or not. `denied` names layers and operators to leave. */
export function quantizeDynamic(
  steps: readonly PlacedStep[],
  denied: ReadonlySet<string>,
): { steps: readonly PlacedStep[]; notes: Map<PlacedStep, QuantizationNote> } {
  const notes = new Map<PlacedStep, QuantizationNote>();
  const cache = new Map<HostArray, QuantizedArray>();
  const made = steps.flatMap((s): PlacedStep[] => {
    if (!s.weights) return [s];
    const { input, axis } = s.weights;
    const weights = s.inputs[input]!;
    const content = floatContent(weights);
    if (!content) return [s];
    const why = reasonToLeave(s, content, denied);
    if (why !== undefined) {
      notes.set(s, { quantised: false, why });
      return [s];
    }
    // Rows that are picked and not multiplied share one scale, so that their operator knows it whatever row it picks.
    const isTable = s.operator === "GATHER";
    let quantized = cache.get(content);
    if (!quantized) {
      quantized = quantizeSymmetric(content, isTable ? null : axis);
      cache.set(content, quantized);
    }
    const inputs = s.inputs.map((x, i) => (i === input && isConstant(x) ? { ...x, content: quantized } : x));
    const changed = isTable ? dequantized(s, inputs, quantized.quantization) : [{ ...s, inputs, ...hybridOptions(s) }];
    const count = quantized.quantization.scales.length;
    const note = {
      quantised: true,
      why: `${countOf(content.shape)} weights as int8, ${count === 1 ? "one scale" : `${count} scales`}`,
    };
    for (const one of changed) notes.set(one, note);
    return changed;
  });
  return { steps: made, notes };
}

function floatContent(operand: Operand): HostArray | undefined {
  if (!isConstant(operand) || "quantization" in operand.content) return undefined;
  return operand.content.dtype === "float32" ? operand.content : undefined;
}

function reasonToLeave(s: PlacedStep, content: HostArray, denied: ReadonlySet<string>): string | undefined {
  const named = [s.layer, s.operator].find((name) => denied.has(name));
  if (named !== undefined) return `the denylist names ${named}`;
  const count = countOf(content.shape);
  if (count < fewestElements) return `${count} weights are fewer than ${fewestElements}`;
  const finite = content.data.every((x: number | bigint) => Number.isFinite(Number(x)));
  return finite ? undefined : "a weight is not finite";
}

/** q = round(x / scale) with scale = max |x| / 127, over all elements or for each entry of `axis`. */
export function quantizeSymmetric({ data, shape }: HostArray, axis: number | null): QuantizedArray {
  const entries = axis === null ? 1 : shape[axis]!;
  const inner = axis === null ? 1 : countOf(shape.slice(axis + 1));
  const entryOf = (i: number): number => (axis === null ? 0 : Math.floor(i / inner) % entries);
  const most = new Float32Array(entries);
  for (let i = 0; i < data.length; i++) most[entryOf(i)] = Math.max(most[entryOf(i)]!, Math.abs(Number(data[i])));
  // All zeros: any scale does.
  const scales = most.map((x) => (x === 0 ? 1 : x / mostSteps));
  const integers = new Int8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const q = Math.round(Number(data[i]) / scales[entryOf(i)]!);
    integers[i] = Math.min(mostSteps, Math.max(-mostSteps, q));
  }
  const quantization = { scales: Array.from(scales), zeroPoints: Array.from(scales, () => 0), axis: axis ?? 0 };
  return { type: "INT8", shape, data: new Uint8Array(integers.buffer), quantization };
}

/** Activations get a zero point, so that ranges that are not around 0, as after relu, use all 256 steps. */
function hybridOptions({ options }: Step): Pick<Step, "options"> {
  if (options?.table !== "FullyConnectedOptions") return { options };
  return { options: { table: options.table, values: { ...options.values, asymmetricQuantizeInputs: true } } };
}

/** Rows of integers are picked, and made floats then. */
function dequantized(s: PlacedStep, inputs: readonly Operand[], quantization: LiteQuantization): PlacedStep[] {
  const [output] = s.outputs;
  const { dtype, shape } = "aval" in output! ? output.aval : output!;
  const rows = { ...temporary(dtype, shape), quantized: { type: "INT8", quantization } } as const;
  const back = step("DEQUANTIZE", [rows], output!, "DequantizeOptions", {});
  return [
    { ...s, inputs, outputs: [rows] },
    { ...back, layer: s.layer, absorbed: s.absorbed },
  ];
}
