// Operands of samples, edges and rejects: seeded random data, or nested content.
import type { Content, Sample } from "../ir/cases.js";
import { countOf, hostArray, integerRange, toElement } from "../ir/host.js";
import { type DType, dtypes } from "../types/dtype.js";
import { type HostVal, hostVal } from "./host.js";

/** Uniform numbers in [0, 1), the same for the same seed: 32-bit xorshift (Marsaglia, 2003) after a mix of the text. */
export function randomOf(seed: string): () => number {
  let state = 0x9e3779b9;
  for (const char of seed) state = Math.imul(state ^ char.codePointAt(0)!, 0x85ebca6b) ^ (state >>> 13);
  state = state || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

type Domain = readonly [number, number];

/** Random elements of `dtype` within `domain`; without one floats are small and integers smaller than ten. */
export function randomArray(random: () => number, dtype: DType, shape: readonly number[], domain?: Domain): HostVal {
  const array = hostArray(dtype, shape);
  const { isFloat } = dtypes[dtype];
  const [low, high] = domain ?? (isFloat ? [-2, 2] : [-9, 9]);
  // Integers lie within the domain too, and within what the dtype holds.
  const [least, most] = [Math.max(Math.ceil(low), Number(integerRange(dtype)[0])), Math.max(Math.floor(high), 0)];
  for (let i = 0; i < array.data.length; i++) {
    const u = random();
    if (isFloat) array.data[i] = toElement(dtype, low + u * (high - low));
    else array.data[i] = toElement(dtype, dtype === "bool" ? u < 0.5 : least + Math.floor(u * (most - least + 1)));
  }
  return hostVal(array);
}

/** Whether the dtype of some operand of a sample is varied. */
export function isVaried<A>(sample: Sample<A>): boolean {
  return sample.ins.some((_, i) => (sample.dtypes?.[i] ?? "*") === "*");
}

export function dtypesOf<A>(sample: Sample<A>, varied: DType): DType[] {
  return sample.ins.map((_, i) => {
    const dtype = sample.dtypes?.[i] ?? "*";
    return dtype === "*" ? varied : dtype;
  });
}

function domainOf<A>({ domain }: Sample<A>, operand: number): Domain | undefined {
  if (domain === undefined) return undefined;
  // boundary: a list of two numbers is one domain, a list of lists one for each operand
  return typeof domain[0] === "number" ? (domain as Domain) : (domain as readonly Domain[])[operand];
}

/** The operands of a sample, each with data of its own. */
export function operandsOf<A>(sample: Sample<A>, varied: DType, seed: string): HostVal[] {
  const types = dtypesOf(sample, varied);
  return sample.ins.map((shape, i) => randomArray(randomOf(`${seed} ${i}`), types[i]!, shape, domainOf(sample, i)));
}

/** The shape that nested numbers spell. */
export function shapeOfContent(content: Content): number[] {
  if (!isList(content)) return [];
  return [content.length, ...(content.length > 0 ? shapeOfContent(content[0]!) : [])];
}

/** The numbers of nested content in order. */
export function flatten(content: Content): (number | bigint)[] {
  return isList(content) ? content.flatMap(flatten) : [content];
}

function isList(content: Content): content is readonly Content[] {
  return Array.isArray(content);
}

/** Nested numbers as an array of `dtype`; an empty one takes `shape`, which it cannot spell beyond the first size of 0. */
export function arrayOf(content: Content, dtype: DType, shape: readonly number[] = shapeOfContent(content)): HostVal {
  const array = hostArray(dtype, shape);
  const values = flatten(content);
  if (values.length !== countOf(shape))
    throw new Error(`content has ${values.length} numbers, [${shape}] needs ${countOf(shape)}`);
  values.forEach((x, i) => {
    array.data[i] = toElement(dtype, x);
  });
  return hostVal(array);
}
