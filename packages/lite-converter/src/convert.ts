import { MillraceError, type NamedFunction, type Signal } from "@millrace/core";
import type { HostArray } from "@millrace/core/graph";
import { didYouMean, throwIfAborted, withDefaults } from "@millrace/core/support";
import type { LiteModel, LiteSignature } from "./file/model.js";
import { minRuntimeVersion } from "./file/versions.js";
import { writeModel } from "./file/write.js";
import { emit } from "./lower/emit.js";
import { type Prepared, prepare } from "./lower/prepare.js";
import { type PlacedStep, type Problem, select } from "./lower/select.js";
import { platform } from "./platform.js";
import { quantizeDynamic } from "./quantize/dynamic.js";
import { type LiteReport, layerReports, type QuantizationNote } from "./report.js";
import { rules } from "./rules/table.js";

/** What can be converted: a model, an executable, or functions with names. */
export type LiteSource = { toConcreteFunctions(): readonly NamedFunction[] } | readonly NamedFunction[];

/** How weights, and activations, are made smaller. */
export type LiteQuantize = "dynamic" | "float16" | "int8" | "int16x8";

/** Options of `convert`. */
export interface ConvertOptions {
  /** "dynamic": int8 weights, activations made int8 while the model runs. The others are not built yet. */
  readonly quantize?: LiteQuantize | undefined;
  /** Inputs to measure activations with, for the quantisations that need it: not built yet. */
  readonly representativeDataset?: Iterable<unknown> | AsyncIterable<unknown> | undefined;
  /** The types of inputs and outputs of a quantised file: not built yet. */
  readonly ioTypes?: { readonly input?: string; readonly output?: string } | undefined;
  /** Layers and operators ("FULLY_CONNECTED") whose weights stay float. */
  readonly denylist?: readonly string[] | undefined;
  /** Ends the conversion between its steps, with the signal's reason. */
  readonly signal?: Signal | undefined;
}

/** A .tflite file and what became of each layer. */
export interface Conversion {
  /** The content of the file. */
  readonly bytes: Uint8Array;
  readonly report: LiteReport;
}

/**
 * A model as a .tflite file for LiteRT (TensorFlow Lite): the operators of its layers, batch normalisation and activations
 * fused into convolutions and products as far as they go, one signature a function, with the names of its inputs and outputs.
 * Sizes that are not fixed, as the batch, are 1 in the file and may be changed by `resize_tensor_input`.
 *
 * @throws E_UNIMPLEMENTED where ops cannot be lowered, all of them named with their layers, and for what is not built yet;
 *   E_ARGUMENT where the denylist names what is not there
 * @example
 *     const { bytes, report } = await tf.lite.convert(model, { quantize: "dynamic" });
 *     await fs.writeFile("digits.tflite", bytes);
 *     for (const { layer, outcome, why } of report.layers) console.log(layer, outcome, why);
 */
export async function convert(source: LiteSource, options: ConvertOptions = {}): Promise<Conversion> {
  const { quantize, representativeDataset, ioTypes, denylist, signal } = withDefaults("convert", options, {
    quantize: undefined,
    representativeDataset: undefined,
    ioTypes: undefined,
    denylist: [],
    signal: undefined,
  });
  if (quantize !== undefined && quantize !== "dynamic") refuseQuantize(quantize);
  if (representativeDataset !== undefined) throw unbuilt("quantising by a representative dataset");
  if (ioTypes !== undefined) throw unbuilt("other types of inputs and outputs than the model's");
  const functions = functionsOf(source);
  const contents = new Map<unknown, HostArray>();
  const prepared: Prepared[] = [];
  for (const f of functions) {
    await pause(signal);
    prepared.push(await prepare(f, contents));
  }
  await pause(signal);
  const selected = prepared.map((p) => select(p, rules));
  const problems = selected.flatMap((s) => s.problems);
  if (problems.length > 0) throw cannotLower(problems);
  const float = selected.map((s) => s.steps);
  checkDenylist(denylist, float.flat());
  await pause(signal);
  const notes = new Map<PlacedStep, QuantizationNote>();
  const steps = float.map((list) => {
    if (quantize === undefined) return list;
    const quantized = quantizeDynamic(list, new Set(denylist));
    for (const [s, note] of quantized.notes) notes.set(s, note);
    return quantized.steps;
  });
  await pause(signal);
  const model = assemble(prepared, steps);
  const bytes = writeModel(model);
  const modelWeights = [...contents.values()].reduce((n, { data }) => n + data.byteLength, 0);
  const stored = new Set(model.graphs.flatMap((g) => g.tensors.flatMap((t) => t.data ?? [])));
  const fileWeights = [...stored].reduce((n, data) => n + data.byteLength, 0);
  const operators = prepared.map(({ name }, i) => [name, steps[i]!.map((s) => s.operator)] as const);
  return {
    bytes,
    report: {
      layers: layerReports(
        prepared.flatMap((p) => [...p.layers.values()]),
        steps.flat(),
        notes,
      ),
      operators: Object.fromEntries(operators),
      bytes: { file: bytes.byteLength, modelWeights, fileWeights },
    },
  };
}

/** Lets timers and whoever holds the signal have their turn. */
async function pause(signal: Signal | undefined): Promise<void> {
  if (!signal) return;
  await new Promise<void>((resolve) => platform.setTimeout(resolve, 0));
  throwIfAborted(signal);
}

function functionsOf(source: LiteSource): readonly NamedFunction[] {
  const functions = "toConcreteFunctions" in source ? source.toConcreteFunctions() : source;
  if (functions.length > 0) return functions;
  throw new MillraceError("E_ARGUMENT", "convert: there are no functions to convert");
}

function assemble(prepared: readonly Prepared[], steps: readonly (readonly PlacedStep[])[]): LiteModel {
  const emitted = prepared.map((p, i) => emit(p, steps[i]!));
  const graphs = emitted.map((e) => e.graph);
  const signatures = prepared.map(
    ({ name, inputs, outputs }, graph): LiteSignature => ({
      name,
      graph,
      inputs: inputs.map((x, i) => ({ name: x.name, tensor: emitted[graph]!.inputs[i]! })),
      outputs: outputs.map((x, i) => ({ name: x.name, tensor: emitted[graph]!.outputs[i]! })),
    }),
  );
  const operators = graphs.flatMap((g) => g.operators);
  return { description: "Millrace", minRuntimeVersion: minRuntimeVersion(operators), graphs, signatures };
}

const unbuilt = (what: string): MillraceError =>
  new MillraceError("E_UNIMPLEMENTED", `convert: ${what} is not built yet`);

function refuseQuantize(quantize: string): never {
  if (["float16", "int8", "int16x8"].includes(quantize)) throw unbuilt(`quantize: "${quantize}"`);
  const hint = didYouMean(quantize, ["dynamic", "float16", "int8", "int16x8"]);
  throw new MillraceError("E_ARGUMENT", `convert: there is no quantisation "${quantize}"${hint}`);
}

/** One line an op, with the layers that have it. */
function cannotLower(problems: readonly Problem[]): MillraceError {
  const lines = new Map<string, Set<string>>();
  for (const { op, layer, reason } of problems) {
    const line = `${op}: ${reason}`;
    lines.set(line, (lines.get(line) ?? new Set()).add(layer));
  }
  const list = [...lines].map(([line, layers]) => {
    const named = [...layers].filter((layer) => layer !== "");
    return named.length > 0 ? `  ${named.join(", ")}: ${line}` : `  ${line}`;
  });
  const [first] = problems;
  const details = { op: first!.op, ...(first!.layer === "" ? {} : { layer: first!.layer }) };
  const message = `convert: TFLite cannot do all that this model does\n${list.join("\n")}`;
  return new MillraceError("E_UNIMPLEMENTED", message, details);
}

function checkDenylist(denylist: readonly string[], steps: readonly PlacedStep[]): void {
  const known = new Set(steps.flatMap((s) => [s.layer, s.operator]));
  const unknown = denylist.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const hint = didYouMean(unknown, known);
  throw new MillraceError(
    "E_ARGUMENT",
    `convert: the denylist names "${unknown}", which is no layer or operator${hint}`,
  );
}
