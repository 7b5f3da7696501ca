import { broadcastInDimOp, type Dim, type HostArray, type Node, sameAttrs, type Value } from "@millrace/core/graph";
import type { WindowAttrs } from "../lower/attrs.js";
import type { Match, Matcher, Rule, Rules } from "../lower/matcher.js";
import { constant, type Result, type Step, step, temporary } from "../lower/steps.js";
import type { TableValue } from "../schema/tables.js";
import { padded, paddingFor, paddingMode, type Windows } from "./padding.js";

/** Windows over height and width of images; a text says why others are none. */
function windowsOf(x: Value, attrs: WindowAttrs): Windows | string {
  const { window, strides, low, high } = attrs;
  if (x.aval.dtype !== "float32") return "TFLite pools float32 only";
  const isImage =
    window.length === 4 && [0, 3].every((a) => window[a] === 1 && strides[a] === 1 && low[a] === 0 && high[a] === 0);
  if (!isImage) return "TFLite pools images [n,h,w,c] along height and width only";
  return {
    sizes: [window[1]!, window[2]!],
    strides: [strides[1]!, strides[2]!],
    dilations: [1, 1],
    low: low.slice(1, 3),
    high: high.slice(1, 3),
  };
}

// boundary: the nodes asked about are windows
const attrsOf = ({ attrs }: Node): WindowAttrs => attrs as WindowAttrs;

function pool(
  m: Matcher,
  operator: "MAX_POOL_2D" | "AVERAGE_POOL_2D",
  x: Value,
  windows: Windows,
  output: Result,
  fill = 0,
): readonly Step[] | string {
  const padding = paddingFor(m.operand(x), "float32", x.aval.shape, windows, fill);
  if (typeof padding === "string") return padding;
  const options = { ...optionsOf(windows), padding: padding.mode };
  return [...padding.steps, step(operator, [padding.operand], output, "Pool2DOptions", options)];
}

function optionsOf({ sizes, strides }: Windows): TableValue<"Pool2DOptions"> {
  return {
    filterHeight: sizes[0],
    filterWidth: sizes[1],
    strideH: strides[0],
    strideW: strides[1],
    fusedActivationFunction: "NONE",
  };
}

const maxPool: Rule = (m, node, output) => {
  const [x] = node.inputs;
  const windows = windowsOf(x!, attrsOf(node));
  return typeof windows === "string" ? windows : pool(m, "MAX_POOL_2D", x!, windows, output, -Infinity);
};

/** A sum over windows divided by how many elements each has: their mean. */
export const averagePool: Rule = (m, { inputs: [sum, count] }, output): Match => {
  if (sum!.node?.op.name !== "reduceWindowSum" || !m.isPrivate(sum!)) return undefined;
  const [x] = sum!.node.inputs;
  const attrs = attrsOf(sum!.node);
  const windows = windowsOf(x!, attrs);
  if (typeof windows === "string" || paddingMode(x!.aval.shape, windows) === "explicit") return undefined;
  if (!countsElements(m, count!, attrs, x!.aval.shape)) return undefined;
  const steps = pool(m, "AVERAGE_POOL_2D", x!, windows, output);
  return typeof steps === "string" ? undefined : steps;
};

/** Whether `count` is the number of elements of each window, padding left out. */
function countsElements(m: Matcher, count: Value, attrs: WindowAttrs, shape: readonly Dim[]): boolean {
  const { window, low, high } = attrs;
  const isWhole = [...low, ...high].every((n) => n === 0);
  if (isWhole) return m.scalarOf(count) === window.reduce((n, size) => n * size, 1);
  const inner = count.node?.op === broadcastInDimOp ? count.node.inputs[0]! : count;
  const content = m.contentOf(inner);
  if (content) return matchesCounts(content, attrs, shape);
  const { node } = inner;
  if (node?.op.name !== "reduceWindowSum") return false;
  return m.scalarOf(node.inputs[0]!) === 1 && sameAttrs(node.attrs, attrs);
}

/** Whether a constant [1, h', w', 1] holds the counts for an image of known size. */
function matchesCounts(content: HostArray, { window, strides, low }: WindowAttrs, shape: readonly Dim[]): boolean {
  const [, rows, columns] = content.shape;
  if (content.data.length !== rows! * columns!) return false;
  const along = (axis: number, place: number): number => {
    const from = place * strides[axis]! - Number(low[axis]);
    return Math.min(from + window[axis]!, Number(shape[axis])) - Math.max(from, 0);
  };
  return content.data.every((n: number | bigint, i: number) => {
    return Number(n) === along(1, Math.floor(i / columns!)) * along(2, i % columns!);
  });
}

/** The mean of whole windows times their size. Padding is made before, as zeros: "same" would leave it out of the mean. */
const sumPool: Rule = (m, node, output) => {
  const [x] = node.inputs;
  const windows = windowsOf(x!, attrsOf(node));
  if (typeof windows === "string") return windows;
  const isWhole = paddingMode(x!.aval.shape, windows) === "VALID";
  const source = isWhole
    ? { steps: [], operand: m.operand(x!) }
    : padded(m.operand(x!), "float32", x!.aval.shape, windows);
  if (typeof source === "string") return source;
  const mean = temporary("float32", output.aval.shape);
  const size = Float32Array.of(windows.sizes[0] * windows.sizes[1]);
  const none = { fusedActivationFunction: "NONE" } as const;
  return [
    ...source.steps,
    step("AVERAGE_POOL_2D", [source.operand], mean, "Pool2DOptions", { ...optionsOf(windows), padding: "VALID" }),
    step("MUL", [mean, constant({ dtype: "float32", shape: [], data: size }, "count")], output, "MulOptions", none),
  ];
};

export const poolingRules: Rules = {
  reduceWindowMax: [maxPool],
  reduceWindowSum: [sumPool],
};
