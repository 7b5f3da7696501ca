// What a conversion did, layer by layer.
import type { PlacedStep } from "./lower/select.js";

/**
 * What became of a layer: "kept" as operators of its own, "fused" into those of other layers, its weights "quantised", or
 * "left float" where others are quantised.
 */
export type LiteOutcome = "kept" | "fused" | "quantised" | "left float";

/** What became of a layer. */
export interface LiteLayerReport {
  /** The layer's name; of a plain function "". */
  readonly layer: string;
  readonly outcome: LiteOutcome;
  /** The operators of its own, in order. */
  readonly operators: readonly string[];
  /** One sentence. */
  readonly why: string;
}

/** What a conversion did. */
export interface LiteReport {
  readonly layers: readonly LiteLayerReport[];
  /** The operators of each signature, in the order in which they run. */
  readonly operators: Readonly<Record<string, readonly string[]>>;
  /** Bytes of the file, and of the weights in the model and in the file. */
  readonly bytes: { readonly file: number; readonly modelWeights: number; readonly fileWeights: number };
}

/** Why weights were or were not made integers. */
export interface QuantizationNote {
  readonly quantised: boolean;
  readonly why: string;
}

/** The report's rows from the steps of all graphs, in the order of `layers`. */
export function layerReports(
  layers: Iterable<string>,
  steps: readonly PlacedStep[],
  notes: ReadonlyMap<PlacedStep, QuantizationNote>,
): readonly LiteLayerReport[] {
  const found = new Set(steps.flatMap((s) => [...s.absorbed, s.layer]));
  const names = [...new Set(layers)].filter((layer) => found.has(layer));
  return names.map((layer) => {
    const own = steps.filter((s) => s.layer === layer);
    const operators = own.map((s) => s.operator);
    const noted = own.flatMap((s) => notes.get(s) ?? []);
    const [quantised, left] = [noted.find((n) => n.quantised), noted.find((n) => !n.quantised)];
    if (own.length === 0) {
      const into = steps.find((s) => s.absorbed.includes(layer))!;
      return {
        layer,
        outcome: "fused",
        operators,
        why: `part of the ${into.operator} of ${into.layer || "the function"}`,
      };
    }
    if (quantised) return { layer, outcome: "quantised", operators, why: quantised.why };
    if (left) return { layer, outcome: "left float", operators, why: left.why };
    const taken = [...new Set(own.flatMap((s) => s.absorbed))].filter((name) => name !== layer);
    const why = taken.length > 0 ? `takes in ${taken.join(", ")}` : "by operators of its own";
    return { layer, outcome: "kept", operators, why };
  });
}
