import { type Aval, formatAval, type Val } from "../../ir/aval.js";
import { type Cases, cases, type Edge, type Sample } from "../../ir/cases.js";
import { type Dim, eqDim } from "../../ir/dim.js";
import { type Composite, check, checkDType, defineComposite, defineOp, noRule, type Op } from "../../ir/op.js";
import type { DType } from "../../types/dtype.js";
import { floats } from "../elementwise.js";
import type { Ops } from "../names.js";
import { fillLike, scalarOf, scale, shift, stretch } from "../rules.js";
import { philox } from "./philox.js";

/** How many numbers are drawn. */
export type RngAttrs = { readonly shape: readonly Dim[] };

/** How many numbers of which dtype are drawn. */
export type DrawAttrs = RngAttrs & { readonly dtype: DType };

const oneStream = noRule(
  "each element of a batch would need a state of its own: draw the numbers outside of vectorizedMap",
);

function checkState(name: string, state: Aval): void {
  checkDType(`${name}.C1`, state.dtype === "int32", () => `needs an int32 state, got ${state.dtype}`);
  check(
    `${name}.C2`,
    state.shape.length === 1 && eqDim(state.shape[0]!, 4),
    () => `needs a state of shape [4], got ${formatAval(state)}`,
  );
}

/**
 * Random bits as int32. The state is [key, key, counter, counter]: element e is word e mod 4 of Philox at the 64-bit
 * counter + floor(e / 4).
 */
export const rngBitsOp: Op<"rngBits", RngAttrs> = defineOp({
  name: "rngBits",
  version: 1,
  kind: "random",
  arity: 1,
  sizeAttrs: ["shape"],
  infer([state], { shape }) {
    checkState("rngBits", state!);
    return [{ dtype: "int32", shape }];
  },
  reference([state], _attrs, [out]) {
    const [key0, key1, low, high] = Array.from(state!.data, Number) as [number, number, number, number];
    const count = out!.data.length;
    for (let block = 0; block * 4 < count; block++) {
      const sum = (low >>> 0) + block;
      const words = philox([sum | 0, (high + Math.floor(sum / 2 ** 32)) | 0, 0, 0], [key0, key1]);
      for (let i = 0; i < 4 && block * 4 + i < count; i++) out!.data[block * 4 + i] = words[i]!;
    }
  },
  vjp: () => [null],
  batch: oneStream,
});
export const rngBitsCases: Cases<RngAttrs> = cases(rngBitsOp, () => ({
  samples: [[], [0], [1], [4], [17], [3, 5], [1025], [1, 2, 1, 2, 1, 3]].map((shape) => drawn({ shape })),
  edges: [
    // Random123's known answers for a key and a counter of zeros.
    {
      ins: [[0, 0, 0, 0]],
      dtypes: ["int32"],
      attrs: { shape: [4] },
      want: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map((word) => word | 0),
    },
  ],
  reject: [
    { ins: [[4]], attrs: { shape: [2] }, code: "rngBits.C1" },
    { ins: [[3]], dtypes: ["int32"], attrs: { shape: [2] }, code: "rngBits.C2" },
  ],
}));

/** Numbers of a distribution, made of bits. */
function defineDraw<N extends string>(
  name: N,
  lower: (b: Ops, state: Val, attrs: DrawAttrs) => Val,
): Composite<N, DrawAttrs> {
  return defineComposite<N, DrawAttrs>({
    name,
    version: 1,
    arity: 1,
    sizeAttrs: ["shape"],
    infer([state], { shape, dtype }) {
      checkState(name, state!);
      checkDType(`${name}.C3`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
      return [{ dtype, shape }];
    },
    lower: (b, [state], attrs) => [lower(b, state!, attrs)],
    vjp: () => [null],
    batch: oneStream,
  });
}

/** Independent numbers in [0, 1), `count` of them for each element: multiples of 2^−24, in float64 of 2^−53. */
function unitNumbers(b: Ops, state: Val, { shape, dtype }: DrawAttrs, count: number): Val[] {
  const words = dtype === "float64" ? 2 : 1;
  const bits = b.rngBits([state], { shape: [count * words, ...shape] });
  // The lowest `width` bits of a word for each element, as a float.
  const low = (word: number, width: number): Val => {
    const start = [word, ...shape.map(() => 0)];
    const row = b.slice([bits], { start, limit: [word + 1, ...shape], strides: start.map(() => 1) });
    const flat = b.reshape([row], { shape });
    const mask = stretch(b, scalarOf(b, "int32", 2 ** width - 1), shape, []);
    return b.cast([b.and([flat, mask])], { dtype });
  };
  return Array.from({ length: count }, (_, i) => {
    if (words === 1) return scale(b, low(i, 24), 2 ** -24);
    return scale(b, b.add([scale(b, low(2 * i, 26), 2 ** 27), low(2 * i + 1, 27)]), 2 ** -53);
  });
}

export const unitUniformOp: Composite<"unitUniform", DrawAttrs> = defineDraw(
  "unitUniform",
  (b, state, attrs) => unitNumbers(b, state, attrs, 1)[0]!,
);

/** Box and Muller, 1958: √(−2 log u) · cos(2πv), u in (0, 1]. */
export const unitNormalOp: Composite<"unitNormal", DrawAttrs> = defineDraw("unitNormal", (b, state, attrs) => {
  const [u, v] = unitNumbers(b, state, attrs, 2);
  const radius = b.sqrt([scale(b, b.log([shift(b, b.neg([u!]), 1)]), -2)]);
  return b.mul([radius, b.cos([scale(b, v!, 2 * Math.PI)])]);
});

/** The probability that a normal number lies within ±2. */
const withinTwo = 0.9544997361036416;

/**
 * The inverse error function where −log(1 − x²) < 5: M. Giles, "Approximating the erfinv function", 2012. Highest power
 * first.
 */
const inverseErf = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];

/** Normal numbers within ±2: the inverse of their distribution, at uniform numbers. */
export const unitTruncatedNormalOp: Composite<"unitTruncatedNormal", DrawAttrs> = defineDraw(
  "unitTruncatedNormal",
  (b, state, attrs) => {
    const [u] = unitNumbers(b, state, attrs, 1);
    // u − ½ is exact: nothing is lost where the difference is small.
    const x = scale(b, shift(b, u!, -0.5), 2 * withinTwo);
    const w = shift(b, b.neg([b.log1p([b.neg([b.mul([x, x])])])]), -2.5);
    const p = inverseErf.slice(1).reduce((sum, c) => shift(b, b.mul([sum, w]), c), fillLike(b, w, inverseErf[0]!));
    const z = scale(b, b.mul([p, x]), Math.SQRT2);
    return b.max([b.min([z, fillLike(b, z, 2)]), fillLike(b, z, -2)]);
  },
);

/** A draw with a state of random bits. */
function drawn<A>(attrs: A): Sample<A> {
  return { ins: [[4]], dtypes: ["int32"], domain: [-(2 ** 31), 2 ** 31 - 1], attrs };
}

/** The words of Random123's known answer as the uniform numbers that they become. */
const [first, second, third, fourth] = [0x27e8d5 / 2 ** 24, 0x69c58d / 2 ** 24, 0x57ac4c / 2 ** 24, 0x00dbd8 / 2 ** 24];
const wide = (high: number, low: number): number => (high * 2 ** 27 + low) / 2 ** 53;
const boxMuller = (u: number, v: number): number => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);

const zeroState = { ins: [[0, 0, 0, 0]], dtypes: ["int32"] } as const;

/* @__NO_SIDE_EFFECTS__ */
function drawCases(op: Composite<string, DrawAttrs>, edges: () => readonly Edge<DrawAttrs>[]): Cases<DrawAttrs> {
  const shapes = [[], [0], [1], [17], [3, 5], [1, 2, 1, 2, 1, 3]];
  const types = ["float32", "float64"] as const;
  return cases(op, () => ({
    samples: shapes.flatMap((shape) => types.map((dtype) => drawn({ shape, dtype }))),
    edges: edges(),
    reject: [
      { ins: [[4]], attrs: { shape: [2], dtype: "float32" }, code: `${op.name}.C1` },
      { ins: [[3]], dtypes: ["int32"], attrs: { shape: [2], dtype: "float32" }, code: `${op.name}.C2` },
      { ins: [[4]], dtypes: ["int32"], attrs: { shape: [2], dtype: "int32" }, code: `${op.name}.C3` },
    ],
  }));
}
export const unitUniformCases: Cases<DrawAttrs> = drawCases(unitUniformOp, () => [
  { ...zeroState, attrs: { shape: [2], dtype: "float32" }, want: [first, second] },
  { ...zeroState, attrs: { shape: [1], dtype: "float64" }, want: [wide(0x227e8d5, 0x169c58d)] },
]);
export const unitNormalCases: Cases<DrawAttrs> = drawCases(unitNormalOp, () => [
  {
    ...zeroState,
    attrs: { shape: [2], dtype: "float32" },
    want: [boxMuller(first, third), boxMuller(second, fourth)],
  },
  {
    ...zeroState,
    attrs: { shape: [], dtype: "float64" },
    want: boxMuller(wide(0x227e8d5, 0x169c58d), wide(0x57ac4c, 0x300dbd8)),
  },
]);
// The inverse of the normal distribution at these numbers, by Python's statistics module.
export const unitTruncatedNormalCases: Cases<DrawAttrs> = drawCases(unitTruncatedNormalOp, () => [
  { ...zeroState, attrs: { shape: [2], dtype: "float32" }, want: [-0.9480449503734475, -0.2092631853004891] },
]);
