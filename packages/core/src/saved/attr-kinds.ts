// What the attributes of core's ops hold: an attribute of one name holds the same in every op. The compiler holds it where
// graphs are traced; a file may say anything.
import { type Attr, isAttrList } from "../ir/attrs.js";
import { type Dim, SymDim } from "../ir/dim.js";
import type { Op } from "../ir/op.js";
import type * as families from "../ops/families.gen.js";
import { isDType } from "../types/dtype.js";
import { maxRank } from "./safetensors.js";
import { hasManyTerms } from "./sizes.js";

type Families = typeof families;
type AttrsOf<O> = O extends Op<string, infer A, "one"> | Op<string, infer A, "many"> ? A : never;
/** Every attribute that some op of core has. */
type AttrName = { [K in keyof Families]: keyof AttrsOf<Families[K]> }[keyof Families];

/** Every list has an entry for each axis at most. */
const isShort = (attr: Attr): attr is readonly Attr[] =>
  typeof attr === "object" && isAttrList(attr) && attr.length <= maxRank;
const isSize = (attr: Attr): attr is Dim => Number.isSafeInteger(attr) || attr instanceof SymDim;

const kinds = {
  boolean: (attr: Attr) => typeof attr === "boolean",
  number: (attr: Attr) => typeof attr === "number",
  integer: (attr: Attr) => Number.isSafeInteger(attr),
  size: isSize,
  integers: (attr: Attr) => isShort(attr) && attr.every(Number.isSafeInteger),
  sizes: (attr: Attr) => isShort(attr) && attr.every(isSize) && !hasManyTerms(attr),
  string: (attr: Attr) => typeof attr === "string",
  dtype: isDType,
  data: (attr: Attr) => typeof attr === "object" && !(attr instanceof SymDim) && !isAttrList(attr),
};

const attrKinds: Readonly<Record<AttrName, keyof typeof kinds>> = {
  alpha: "number",
  approximate: "boolean",
  args: "integer",
  axes: "integers",
  axis: "integer",
  carried: "integer",
  causal: "boolean",
  data: "data",
  dims: "integers",
  dtype: "dtype",
  epsilon: "number",
  exclusive: "boolean",
  fastMath: "boolean",
  filterShape: "sizes",
  groups: "integer",
  high: "sizes",
  inputShape: "sizes",
  interior: "integers",
  length: "size",
  kept: "integers",
  lhsBatch: "integers",
  lhsContract: "integers",
  lhsDilation: "integers",
  limit: "sizes",
  low: "sizes",
  maximumIterations: "integer",
  message: "string",
  outputs: "integers",
  perm: "integers",
  reverse: "boolean",
  rhsBatch: "integers",
  rhsContract: "integers",
  rhsDilation: "integers",
  scale: "number",
  scanned: "integer",
  shape: "sizes",
  size: "size",
  sizes: "sizes",
  start: "sizes",
  strides: "integers",
  values: "integer",
  window: "integers",
};

/** What is wrong with an attribute of one of core's ops, if anything is. */
export function attrProblem(name: string, attr: Attr): string | undefined {
  if (!Object.hasOwn(attrKinds, name)) return "is no attribute of any op";
  const kind = attrKinds[name as AttrName];
  return kinds[kind](attr) ? undefined : `must be a ${kind}`;
}
